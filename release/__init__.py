"""What is released, and whether it may be: the package, its dependencies and their licences."""
