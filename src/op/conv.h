/* What the operation conv, its kernel and its builders share: the three tensors that it ties
 * together, and the words of its attribute. */
#ifndef CONV_H
#define CONV_H

/* image x[n, g, c, h, w], kernel k[g, o, c, i, j], output y[n, g, o, p, q] */
enum conv_tensor { IMAGE, KERNEL, OUTPUT };

/* stride, dilation and low have a word for each of the two axes of space, extent has those of the
 * result. */
enum conv_word {
    CONV_RESULT,
    CONV_STRIDE,
    CONV_DILATION = 3,
    CONV_LOW = 5,
    CONV_EXTENT = 7,
    CONV_ABSOLUTE = 9, /* 1: a term with a factor 0 is 0, whatever the other (mulz); else 0 */
    CONV_WORDS
};

#endif
