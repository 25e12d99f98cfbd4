int of_the_library(void) { return 42; }
