"""Tests of adaptnet.files."""
