"""The local functions host: runs a Python (v2) function app as the Azure host does."""
