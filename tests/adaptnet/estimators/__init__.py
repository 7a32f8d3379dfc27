"""Tests of adaptnet.estimators."""
