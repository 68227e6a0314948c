"""What tests share: a running platform, people who use it, a browser."""
