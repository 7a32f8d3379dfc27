"""Tests of adaptnet.theory."""
