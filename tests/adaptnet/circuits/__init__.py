"""Tests of adaptnet.circuits."""
