"""Delivered files: their list, their bytes, what is known about them."""

from mixip.files.actions import add_file
from mixip.files.inspection import Inspector
from mixip.files.queries import drop_claims
from mixip.files.routes import ROUTES
from mixip.files.views import FileList, FileView, as_card, file_view, files_page

__all__ = [
    "ROUTES",
    "FileList",
    "FileView",
    "Inspector",
    "add_file",
    "as_card",
    "drop_claims",
    "file_view",
    "files_page",
]
