"""Facts about delivered files and a preview of each, read in a process of its own (docs/media.md)."""
