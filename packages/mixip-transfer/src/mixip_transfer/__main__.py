"""`python -m mixip_transfer` is `mixip-transfer`."""

from mixip_transfer.cli import main

if __name__ == "__main__":
    main()
