"""The demo network: made-up customers, drivers and operators at real addresses. A module per kind of thing."""
