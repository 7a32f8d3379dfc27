"""Tests of the three packages; folders mirror theirs."""
