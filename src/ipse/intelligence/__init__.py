"""Offline knowledge about addresses, devices, mail addresses and phone numbers: files in, facts out.

Pure: reads nothing but its own data files, knows no database, no HTTP server and no settings. What is not known is
None, never a guess, and every fact names the data set it comes from (docs/decisions/0012).
"""
