"""Tests, and the campaigns that are run by hand."""
