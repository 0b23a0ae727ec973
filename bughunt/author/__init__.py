"""What authors of bugs use."""
