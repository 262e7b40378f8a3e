"""A database with the notifications of a year, for benchmarks of the statistics and to look at."""
