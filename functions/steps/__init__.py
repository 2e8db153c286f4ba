"""One file per step; a module here is all it takes to have a queue and its trigger."""
