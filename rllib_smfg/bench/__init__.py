"""The benchmark of record: learners with equal CPU time on games whose solution is known, and on `calibrated`."""
