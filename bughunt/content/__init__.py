"""What authors wrote: levels, bugs, hints and costs, read into typed records."""
