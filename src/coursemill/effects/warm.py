"""What the server that workers are forked from has imported: papermill and all that it needs."""

from coursemill.effects import quick

with quick.imports():
    import jupyter_client.manager  # noqa: F401 - for those forked from here
    import papermill  # noqa: F401 - likewise
