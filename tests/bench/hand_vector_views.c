#define HAND_VIEWS
#include "hand_vector.c"
