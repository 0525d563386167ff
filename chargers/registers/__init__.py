"""Public registers of chargers: what each column of theirs means in the product's tables."""
