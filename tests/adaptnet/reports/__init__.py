"""Tests of adaptnet.reports."""
