"""What both guards share: what they look for, what they do with it, and what they answer themselves."""
