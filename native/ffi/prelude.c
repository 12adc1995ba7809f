#include "zkr.h"
