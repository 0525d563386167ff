"""Finding things by what is typed: in one list, and in all of them at once."""
