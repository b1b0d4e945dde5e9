"""One statistic per file: numpy and scipy in, result out; no file, no clock, no policy."""
