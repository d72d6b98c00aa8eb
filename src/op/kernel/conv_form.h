/* What the kernels of conv know of a call: the extents and steps of its form. */
#ifndef CONV_FORM_H
#define CONV_FORM_H

#include "base/base.h"
#include "op/conv.h"

struct conv {
    int64_t images, groups, channels, own; /* n, g, c, o */
    int64_t x[2], k[2], y[2];              /* in space */
    int64_t stride[2], dilation[2], low[2];
    int64_t depth, pixels; /* c*i*j, p*q */
    enum conv_tensor result;
    bool absolute; /* products: where all is finite they are the others */
};

struct run {
    int64_t from, to;
};

/* The j of 0 .. count-1 with first + j*stride within 0 .. extent-1. */
static inline struct run places_inside(int64_t first, int64_t stride, int64_t extent,
                                       int64_t count) {
    int64_t from = first >= 0 ? 0 : (-first + stride - 1) / stride;
    int64_t to = first >= extent ? 0 : (extent - first + stride - 1) / stride;
    return (struct run){from < count ? from : count, to < count ? to : count};
}

/* Where image, kernel and output of one image and one group begin, in elements. */
static inline void conv_begin(const struct conv *v, int64_t image, int64_t group, int64_t *at) {
    int64_t both = image * v->groups + group;
    at[IMAGE] = both * v->channels * v->x[0] * v->x[1];
    at[KERNEL] = group * v->own * v->depth;
    at[OUTPUT] = both * v->own * v->pixels;
}

/* Computes the result, whatever was in its memory, from tensors that are not empty; false, and the
 * result's memory is of no meaning, where the form or its numbers are not for this kernel. */
typedef bool conv_kernel(const struct conv *v, void *const *tensor);

#ifdef WG_WIDE
conv_kernel conv_avx2_f64, conv_avx2_f32, conv_avx512_f64, conv_avx512_f32;
#endif

#endif
