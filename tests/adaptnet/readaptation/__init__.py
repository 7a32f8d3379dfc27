"""Tests of the measures of readaptation."""
