"""Values that planners, steps and adapters exchange; nothing here does anything."""
