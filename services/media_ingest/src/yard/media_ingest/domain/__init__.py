"""Rules of uploads, files and parameters, without any input or output."""
