/* One sample of one operation put through every derivative check of the project. The caller decides
 * what is too much: tests of the table want small errors, tests of the tests want large ones. */
#ifndef OP_CHECK_H
#define OP_CHECK_H

#include "op/op.h"

struct op_errors {
    double first;   /* gradient against central differences, relative to max(1, |.|), along each
                       argument and along all together                                         */
    double second;  /* Hessian times vector against differences of the gradient                  */
    double orders;  /* the four compositions of forward and reverse against each other           */
    double product; /* <J x', y'> against <x', J^T y'>                                           */
    double batched; /* vmap against a loop, any one and all arguments batched                    */
    double single;  /* f32 gradient against f64                                                  */
    double single_second; /* f32 Hessian times vector against f64                               */
    bool differentiable; /* whether the derivative checks apply at all                           */
};

/* Fails the test (cmocka) if a program cannot be built or run. seed draws the arguments. */
struct op_errors op_check(unsigned op, const struct op_sample *sample, uint64_t seed);

/* Calls visit for every operation of the table and each of its samples. */
void op_each_sample(void (*visit)(unsigned op, const struct op_sample *sample, void *ctx),
                    void *ctx);

#endif
