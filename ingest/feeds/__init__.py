"""What other systems send in their own words. One module translates a dialect, purely; the door asks no more of it."""
