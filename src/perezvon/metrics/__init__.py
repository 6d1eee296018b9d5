"""MEASURE: pure folds over facts."""
