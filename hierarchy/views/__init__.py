"""The pages of the API that answer with sites, imports and exports."""
