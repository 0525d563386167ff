"""The bulk engine: rows of a file are read, checked, compared with the network and applied in one transaction.

`source` says what a file gives, `tables` what can be imported, `plan` compares, `apply` writes.
"""
