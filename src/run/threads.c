/* How many threads a call may use. */
#include "run/run.h"

#include <unistd.h>

int native_threads(int given) {
    if (given < -1) return -1;
    if (given == 0) return 0;
    long many = given == -1 ? sysconf(_SC_NPROCESSORS_ONLN) : given;
    return many < 1 ? 1 : many > MAX_THREADS ? MAX_THREADS : (int)many;
}
