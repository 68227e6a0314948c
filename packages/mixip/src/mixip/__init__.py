"""Mix-IP: a self-hostable platform for creators and rights-holders. `app.py` shows how it is put together."""

__version__ = "0.1.0"
