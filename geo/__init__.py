"""Where a device thinks it is, against where the home is. Pure: no I/O, no clock."""
