/* The C++ face of Wengert: numbers that record what is done with them, so that a function template
 * of one's own has derivatives.
 *
 *     auto energy = [](const auto &x) { return exp(x[0]) * sin(x[1]) + x[0] * x[0]; };
 *     std::vector<double> slope = wg::grad(energy)(std::vector<double>{1, 2});
 *
 * The function is called once with wg::var in the place of double. That call records a program
 * (wengert/program.h), which is differentiated, compiled, and run for each point; a point of
 * another shape records anew. What the program does may therefore not depend on the values of its
 * inputs: two recorded numbers have no order, and `if (x < y)` does not compile. Choices are made
 * by wg::where (both sides are computed), wg::branch (one is) and wg::loop, or on an eager graph,
 * whose numbers have values: value(x) < value(y).
 *
 * Everything is an owner that moves and releases by itself; errors of the library are thrown as
 * wg::error. C++17, header only, over the C API of wengert.h. */
#ifndef WENGERT_HPP
#define WENGERT_HPP

#include <wengert.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace wg {

/* ---- errors and owners ----------------------------------------------------------------------- */

/* What went wrong, in the library's words: what(), and the status. */
class error : public std::runtime_error {
public:
    error(wg_status status, const std::string &what) : std::runtime_error(what), status_(status) {}
    wg_status status() const noexcept { return status_; }

private:
    wg_status status_;
};

namespace detail {

inline void check(const wg_error &e) {
    if (e.status != WG_OK) throw error(e.status, e.message);
}

template <class T, void (*release)(T *)> struct deleter {
    void operator()(T *at) const noexcept { release(at); }
};
template <class T, void (*release)(T *)> using owner = std::unique_ptr<T, deleter<T, release>>;

inline void free_workspace(void *at) { wg_workspace_free(at); }

struct workspace_deleter {
    void operator()(void *at) const noexcept { wg_workspace_free(at); }
};

} // namespace detail

/* ---- numbers --------------------------------------------------------------------------------- */

/* A recorded value, number or tensor, or a plain double that no graph knows of yet: so T(0), a sum
 * that begins with it, and matrices of zeros cost nothing. The graph must live as long. */
class var {
public:
    var() noexcept = default;
    template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
    var(T number) noexcept : number_(static_cast<double>(number)) {}
    explicit var(wg_var x) : var_(x) {
        if (x.graph) detail::check(*wg_graph_error(x.graph));
    }

    bool is_constant() const noexcept { return var_.graph == nullptr; }
    /* The C API's variable; all zero of a constant. */
    wg_var get() const noexcept { return var_; }
    wg_arg arg() const noexcept {
        return is_constant() ? wg_arg_number(number_) : wg_arg_var(var_);
    }
    /* The value of a constant, or of a number on an eager graph: WG_EARGUMENT else. */
    double value() const {
        if (is_constant()) return number_;
        const double number = wg_item(var_);
        detail::check(*wg_graph_error(var_.graph));
        return number;
    }
    /* This variable in a graph, even if it is a constant. */
    wg_var in(wg_graph *g) const {
        return is_constant() ? wg_number_at("", 0, g, WG_F64, number_) : var_;
    }

    var &operator+=(const var &b);
    var &operator-=(const var &b);
    var &operator*=(const var &b);
    var &operator/=(const var &b);

private:
    wg_var var_ = {nullptr, 0};
    double number_ = 0;
};

inline double value(const var &x) { return x.value(); }
inline double value(double x) { return x; }

namespace detail {

using unary_at = wg_var(const char *, int, wg_var);
using binary_at = wg_var(const char *, int, wg_arg, wg_arg);

template <class Plain> var apply(unary_at *record, Plain plain, const var &a) {
    if (a.is_constant()) return var(plain(a.value()));
    return var(record("", 0, a.get()));
}
template <class Plain> var apply(binary_at *record, Plain plain, const var &a, const var &b) {
    if (a.is_constant() && b.is_constant()) return var(plain(a.value(), b.value()));
    return var(record("", 0, a.arg(), b.arg()));
}

template <class A, class B>
inline constexpr bool either_is_var =
    (std::is_same_v<A, var> && (std::is_same_v<B, var> || std::is_arithmetic_v<B>)) ||
    (std::is_same_v<B, var> && std::is_arithmetic_v<A>);

} // namespace detail

inline var operator+(const var &a, const var &b) {
    return detail::apply(wg_add_at, [](double x, double y) { return x + y; }, a, b);
}
inline var operator-(const var &a, const var &b) {
    return detail::apply(wg_sub_at, [](double x, double y) { return x - y; }, a, b);
}
inline var operator*(const var &a, const var &b) {
    return detail::apply(wg_mul_at, [](double x, double y) { return x * y; }, a, b);
}
inline var operator/(const var &a, const var &b) {
    return detail::apply(wg_div_at, [](double x, double y) { return x / y; }, a, b);
}
inline var operator-(const var &a) {
    return detail::apply(wg_neg_at, [](double x) { return -x; }, a);
}
inline var operator+(const var &a) { return a; }
inline var &var::operator+=(const var &b) { return *this = *this + b; }
inline var &var::operator-=(const var &b) { return *this = *this - b; }
inline var &var::operator*=(const var &b) { return *this = *this * b; }
inline var &var::operator/=(const var &b) { return *this = *this / b; }

/* Recorded numbers have no order: see the head of this file. */
template <class A, class B, class = std::enable_if_t<detail::either_is_var<A, B>>>
bool operator<(const A &, const B &) = delete;
template <class A, class B, class = std::enable_if_t<detail::either_is_var<A, B>>>
bool operator>(const A &, const B &) = delete;
template <class A, class B, class = std::enable_if_t<detail::either_is_var<A, B>>>
bool operator<=(const A &, const B &) = delete;
template <class A, class B, class = std::enable_if_t<detail::either_is_var<A, B>>>
bool operator>=(const A &, const B &) = delete;
/* Nor are they equal or not; libraries of matrices ask constants whether they are 0 or 1. Thrown
 * where a side is recorded. */
inline bool operator==(const var &a, const var &b) {
    if (a.is_constant() && b.is_constant())
        return !(a.value() < b.value() || a.value() > b.value());
    throw error(WG_EARGUMENT, "two recorded numbers are compared: a program cannot branch on "
                              "values; use wg::where or wg::branch, or value() on an eager graph");
}
inline bool operator!=(const var &a, const var &b) { return !(a == b); }

/* The mathematical functions, found by argument-dependent lookup: write sin(x), not std::sin(x). */
#define WG_HPP_UNARY(name, plain)                                                                  \
    inline var name(const var &a) {                                                                \
        return detail::apply(wg_##name##_at, [](double x) -> double { return plain; }, a);         \
    }
WG_HPP_UNARY(abs, std::fabs(x))
WG_HPP_UNARY(sqrt, std::sqrt(x))
WG_HPP_UNARY(cbrt, std::cbrt(x))
WG_HPP_UNARY(floor, std::floor(x))
WG_HPP_UNARY(ceil, std::ceil(x))
WG_HPP_UNARY(exp, std::exp(x))
WG_HPP_UNARY(exp2, std::exp2(x))
WG_HPP_UNARY(expm1, std::expm1(x))
WG_HPP_UNARY(log, std::log(x))
WG_HPP_UNARY(log2, std::log2(x))
WG_HPP_UNARY(log10, std::log10(x))
WG_HPP_UNARY(log1p, std::log1p(x))
WG_HPP_UNARY(sin, std::sin(x))
WG_HPP_UNARY(cos, std::cos(x))
WG_HPP_UNARY(tan, std::tan(x))
WG_HPP_UNARY(asin, std::asin(x))
WG_HPP_UNARY(acos, std::acos(x))
WG_HPP_UNARY(atan, std::atan(x))
WG_HPP_UNARY(sinh, std::sinh(x))
WG_HPP_UNARY(cosh, std::cosh(x))
WG_HPP_UNARY(tanh, std::tanh(x))
WG_HPP_UNARY(asinh, std::asinh(x))
WG_HPP_UNARY(acosh, std::acosh(x))
WG_HPP_UNARY(atanh, std::atanh(x))
WG_HPP_UNARY(erf, std::erf(x))
WG_HPP_UNARY(erfc, std::erfc(x))
WG_HPP_UNARY(lgamma, std::lgamma(x))
WG_HPP_UNARY(square, x * x)
WG_HPP_UNARY(sigmoid, 1 / (1 + std::exp(-x)))
WG_HPP_UNARY(softplus, std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))))
WG_HPP_UNARY(relu, x > 0 ? x : 0 * x)
#undef WG_HPP_UNARY
#define WG_HPP_BINARY(name, recorded, plain)                                                       \
    inline var name(const var &a, const var &b) {                                                  \
        return detail::apply(wg_##recorded##_at,                                                   \
                             [](double x, double y) -> double { return plain; }, a, b);            \
    }
WG_HPP_BINARY(pow, pow, std::pow(x, y))
WG_HPP_BINARY(atan2, atan2, std::atan2(x, y))
WG_HPP_BINARY(hypot, hypot, std::hypot(x, y))
WG_HPP_BINARY(fmod, fmod, std::fmod(x, y))
WG_HPP_BINARY(fmin, min, std::fmin(x, y))
WG_HPP_BINARY(fmax, max, std::fmax(x, y))
WG_HPP_BINARY(min, min, std::fmin(x, y))
WG_HPP_BINARY(max, max, std::fmax(x, y))
#undef WG_HPP_BINARY
inline var fabs(const var &a) { return abs(a); }

/* Truths, bool, for where, branch and the condition of a loop. */
inline var lt(const var &a, const var &b) { return var(wg_lt_at("", 0, a.arg(), b.arg())); }
inline var le(const var &a, const var &b) { return var(wg_le_at("", 0, a.arg(), b.arg())); }
inline var gt(const var &a, const var &b) { return var(wg_gt_at("", 0, a.arg(), b.arg())); }
inline var ge(const var &a, const var &b) { return var(wg_ge_at("", 0, a.arg(), b.arg())); }
inline var eq(const var &a, const var &b) { return var(wg_eq_at("", 0, a.arg(), b.arg())); }
/* a where the truth holds, else b, element by element; both are computed. */
inline var where(const var &truth, const var &a, const var &b) {
    return var(wg_where_at("", 0, truth.get(), a.arg(), b.arg()));
}
inline var stop_gradient(const var &x) {
    return x.is_constant() ? x : var(wg_stop_gradient_at("", 0, x.get()));
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* Of any rank; arithmetic broadcasts as NumPy does. Axes may be negative; none listed are all. */
using shape = std::vector<wg_extent>;
using axes = std::vector<int>;

inline wg_type type_of(const shape &s, wg_dtype dtype = WG_F64) {
    wg_type type = {};
    if (s.size() > WG_MAX_RANK) throw error(WG_ESHAPE, "a tensor of more than 8 axes");
    type.dtype = static_cast<uint8_t>(dtype);
    type.rank = static_cast<uint8_t>(s.size());
    for (std::size_t k = 0; k < s.size(); k++) type.extent[k] = s[k];
    return type;
}
inline var matmul(const var &a, const var &b) {
    return var(wg_matmul_at("", 0, a.get(), b.get()));
}
#define WG_HPP_REDUCTION(name, recorded)                                                           \
    inline var name(const var &x, const axes &over = {}) {                                         \
        return var(wg_##recorded##_at("", 0, x.get(), over.size(), over.data()));                  \
    }
WG_HPP_REDUCTION(sum, sum)
WG_HPP_REDUCTION(mean, mean)
WG_HPP_REDUCTION(prod, prod)
WG_HPP_REDUCTION(reduce_max, reduce_max)
WG_HPP_REDUCTION(reduce_min, reduce_min)
WG_HPP_REDUCTION(logsumexp, logsumexp)
WG_HPP_REDUCTION(norm, norm)
#undef WG_HPP_REDUCTION
inline var reshape(const var &x, const shape &s) {
    return var(wg_reshape_at("", 0, x.get(), s.size(), s.data()));
}
inline var transpose(const var &x, const axes &perm = {}) {
    return var(wg_transpose_at("", 0, x.get(), perm.size(), perm.data()));
}
inline var slice(const var &x, int axis, wg_extent start, wg_extent stop, int64_t step = 1) {
    return var(wg_slice_at("", 0, x.get(), axis, start, stop, step));
}
inline var take(const var &x, const var &index, int axis = 0) {
    return var(wg_take_at("", 0, x.get(), index.get(), axis));
}
inline var softmax(const var &x, int axis = -1) {
    return var(wg_softmax_at("", 0, x.get(), axis));
}
inline var cross_entropy(const var &logits, const var &label) {
    return var(wg_cross_entropy_at("", 0, logits.get(), label.get()));
}
namespace detail {
inline std::vector<wg_var> in_one_graph(const std::vector<var> &part) {
    wg_graph *g = nullptr;
    for (const var &x : part) g = g ? g : x.get().graph;
    if (!g) throw error(WG_EARGUMENT, "none of these numbers is recorded: there is no graph");
    std::vector<wg_var> all;
    for (const var &x : part) all.push_back(x.in(g));
    return all;
}
} // namespace detail
/* Parts of one shape along a new axis. */
inline var stack(const std::vector<var> &part, int axis = 0) {
    const std::vector<wg_var> all = detail::in_one_graph(part);
    return var(wg_stack_at("", 0, axis, all.size(), all.data()));
}
inline var concat(const std::vector<var> &part, int axis = 0) {
    const std::vector<wg_var> all = detail::in_one_graph(part);
    return var(wg_concat_at("", 0, axis, all.size(), all.data()));
}

/* ---- loops and branches ---------------------------------------------------------------------- */

namespace detail {

template <class T> struct is_tuple : std::false_type {};
template <class... T> struct is_tuple<std::tuple<T...>> : std::true_type {};

inline std::vector<var> list(const var &x) { return {x}; }
inline std::vector<var> list(const std::vector<var> &x) { return x; }
template <class... T> std::vector<var> list(const std::tuple<T...> &x) {
    return std::apply([](const auto &...one) { return std::vector<var>{one...}; }, x);
}

template <std::size_t... k>
auto tuple_of(const std::vector<wg_var> &x, std::index_sequence<k...>) {
    return std::make_tuple(var(x[k])...);
}
template <std::size_t count> auto results(const std::vector<wg_var> &x) {
    if constexpr (count == 1) return var(x[0]);
    else return tuple_of(x, std::make_index_sequence<count>{});
}

} // namespace detail

/* What is carried after `length` iterations of body(i, carried...), which gives what is carried on:
 * a var, or a tuple of them. i is an i64 number. At least one of what is carried is recorded. */
template <class Body, class... Carry> auto loop(wg_extent length, Body &&body, Carry &&...carry) {
    const std::vector<wg_var> begin = detail::in_one_graph({var(std::forward<Carry>(carry))...});
    wg_graph *g = begin[0].graph;
    wg_loop *l = wg_loop_begin_at("", 0, g, length);
    std::vector<wg_var> carried, result(sizeof...(Carry) + 1, wg_var{nullptr, 0});
    const var index(wg_loop_index_at("", 0, l));
    for (const wg_var &x : begin) carried.push_back(wg_loop_carry_at("", 0, l, x));
    try {
        auto call = [&](const auto &...x) { return body(index, x...); };
        const auto next = std::apply(
            call, detail::tuple_of(carried, std::make_index_sequence<sizeof...(Carry)>{}));
        const std::vector<var> values = detail::list(next);
        for (std::size_t k = 0; k < carried.size() && k < values.size(); k++)
            wg_loop_next_at("", 0, l, carried[k], values[k].in(g));
    } catch (...) {
        wg_loop_end_at("", 0, l, result.data());
        throw;
    }
    wg_loop_end_at("", 0, l, result.data());
    return detail::results<sizeof...(Carry)>(result);
}

/* then() where the truth, one bool, holds, else otherwise(): each gives a var; only one is
 * computed. */
template <class Then, class Else> var branch(const var &truth, Then &&then, Else &&otherwise) {
    wg_graph *g = truth.get().graph;
    wg_branch *b = wg_branch_begin_at("", 0, g, truth.get());
    wg_var result = {nullptr, 0};
    try {
        wg_var one = var(then()).in(g);
        wg_branch_case_at("", 0, b, 1, &one);
        one = var(otherwise()).in(g);
        wg_branch_case_at("", 0, b, 1, &one);
    } catch (...) {
        wg_branch_end_at("", 0, b, &result);
        throw;
    }
    wg_branch_end_at("", 0, b, &result);
    return var(result);
}

/* ---- graphs, programs, functions ------------------------------------------------------------- */

/* An immutable evaluation trace. */
class program {
public:
    explicit program(wg_program *p = nullptr) noexcept : p_(p) {}
    const wg_program *get() const noexcept { return p_.get(); }
    explicit operator bool() const noexcept { return p_ != nullptr; }

    /* As text that reads back. */
    std::string text() const {
        wg_error e = {};
        wg_text out = {};
        wg_program_print(p_.get(), &out, &e);
        std::string s(out.data ? out.data : "", out.size);
        wg_text_free(&out);
        detail::check(e);
        return s;
    }
    program grad(const char *wrt = nullptr) const { return made(wg_grad, wrt); }
    program value_and_grad(const char *wrt = nullptr) const { return made(wg_value_and_grad, wrt); }
    program hessian(const char *wrt = nullptr) const { return made(wg_hessian, wrt); }
    program hvp(const char *wrt = nullptr) const { return made(wg_hvp, wrt); }
    program jvp(const char *of = nullptr, const char *wrt = nullptr) const {
        wg_error e = {};
        return made(wg_jvp(p_.get(), of, wrt, &e), e);
    }
    program vjp(const char *of = nullptr, const char *wrt = nullptr) const {
        wg_error e = {};
        return made(wg_vjp(p_.get(), of, wrt, &e), e);
    }
    program jacobian(const char *of = nullptr, const char *wrt = nullptr,
                     wg_mode mode = WG_AUTO_MODE) const {
        wg_error e = {};
        return made(wg_jacobian(p_.get(), of, wrt, mode, &e), e);
    }

private:
    static program made(wg_program *p, const wg_error &e) {
        detail::check(e);
        return program(p);
    }
    program made(wg_program *(*derive)(const wg_program *, const char *, wg_error *),
                 const char *wrt) const {
        wg_error e = {};
        return made(derive(p_.get(), wrt, &e), e);
    }
    detail::owner<wg_program, wg_program_free> p_;
};

/* A program compiled; any number of threads may call it at once. */
class function {
public:
    function() noexcept = default;
    explicit function(const program &p, wg_backend backend = WG_INTERPRET) {
        wg_error e = {};
        wg_options options = {};
        options.backend = backend;
        f_.reset(wg_compile(p.get(), &options, &e));
        detail::check(e);
    }
    const wg_function *get() const noexcept { return f_.get(); }
    /* Sizes, inputs and outputs in the program's order, as wg_call takes them. */
    void operator()(const std::vector<int64_t> &sizes, const std::vector<const void *> &inputs,
                    const std::vector<void *> &outputs, void *workspace = nullptr) const {
        wg_error e = {};
        wg_call_with(f_.get(), sizes.data(), inputs.data(), outputs.data(), workspace, &e);
        detail::check(e);
    }

private:
    detail::owner<wg_function, wg_function_free> f_;
};

/* A program under construction, or, from eager(), a graph that computes as it goes. */
class graph {
public:
    graph() : graph(wg_graph_new()) {}
    static graph eager() { return graph(wg_eager_new()); }
    wg_graph *get() const noexcept { return g_.get(); }

    var input(const char *name, const shape &s = {}, wg_dtype dtype = WG_F64) {
        return var(wg_input_at("", 0, g_.get(), name, type_of(s, dtype)));
    }
    wg_extent size(const char *name) {
        const wg_extent e = wg_size_at("", 0, g_.get(), name);
        detail::check(*wg_graph_error(g_.get()));
        return e;
    }
    void output(const char *name, const var &x) {
        wg_output_at("", 0, g_.get(), name, x.in(g_.get()));
        detail::check(*wg_graph_error(g_.get()));
    }
    /* The program; the graph is used up. */
    program build() {
        wg_error e = {};
        program p(wg_build(g_.release(), &e));
        detail::check(e);
        return p;
    }

    /* Of an eager graph: a number or tensor of its own, and the gradient of y by these. */
    var scalar(double number) { return var(wg_scalar_at("", 0, g_.get(), number)); }
    var tensor(const shape &s, const std::vector<double> &data) {
        int64_t count = 1;
        for (const wg_extent extent : s) count *= extent;
        if (count != static_cast<int64_t>(data.size()))
            throw error(WG_ESHAPE,
                        "tensor: the shape has another number of elements than the data");
        return var(wg_value_at("", 0, g_.get(), type_of(s), data.data()));
    }

private:
    explicit graph(wg_graph *g) : g_(g) {
        if (!g) throw error(WG_ENOMEM, "no memory for a graph");
    }
    detail::owner<wg_graph, wg_graph_free> g_;
};

/* dy/dx for every x of an eager graph: values like any other, with derivatives of their own. */
inline std::vector<var> backward(const var &y, const std::vector<var> &wrt) {
    const std::vector<wg_var> x = detail::in_one_graph(wrt);
    std::vector<wg_var> adjoint(x.size());
    wg_backward_at("", 0, y.get(), x.size(), x.data(), adjoint.data());
    std::vector<var> result;
    for (const wg_var &a : adjoint) result.emplace_back(a);
    return result;
}

/* ---- points ---------------------------------------------------------------------------------- */

/* A dense matrix, row by row. */
struct matrix {
    std::size_t rows = 0, columns = 0;
    std::vector<double> data;
    double operator()(std::size_t i, std::size_t j) const { return data[i * columns + j]; }
};

/* How a point is taken apart and put together: a double, std::vector, std::array, or a matrix of
 * Eigen where that is included in front of this header. One's own types may specialise this. */
template <class T, class = void> struct point;

template <> struct point<double> {
    using recorded = var;
    static std::size_t size(double) { return 1; }
    static void read(double x, double *to) { *to = x; }
    static double write(double, const double *from) { return *from; }
    static var record(double, const std::vector<var> &x) { return x[0]; }
};
template <> struct point<std::vector<double>> {
    using T = std::vector<double>;
    static std::size_t size(const T &x) { return x.size(); }
    static void read(const T &x, double *to) {
        for (std::size_t k = 0; k < x.size(); k++) to[k] = x[k];
    }
    static T write(const T &like, const double *from) { return T(from, from + like.size()); }
    static std::vector<var> record(const T &, const std::vector<var> &x) { return x; }
};
template <std::size_t n> struct point<std::array<double, n>> {
    using T = std::array<double, n>;
    static std::size_t size(const T &) { return n; }
    static void read(const T &x, double *to) {
        for (std::size_t k = 0; k < n; k++) to[k] = x[k];
    }
    static T write(const T &, const double *from) {
        T y{};
        for (std::size_t k = 0; k < n; k++) y[k] = from[k];
        return y;
    }
    static std::array<var, n> record(const T &, const std::vector<var> &x) {
        std::array<var, n> y{};
        for (std::size_t k = 0; k < n; k++) y[k] = x[k];
        return y;
    }
};

namespace detail {

inline std::vector<var> elements(const var &y) { return {y}; }
template <class T> auto elements(const T &y) -> decltype(y.size(), std::vector<var>()) {
    std::vector<var> all;
    for (decltype(y.size()) k = 0; k < y.size(); k++) all.emplace_back(y[k]);
    return all;
}

} // namespace detail

/* ---- derivatives of functions ---------------------------------------------------------------- */

/* A function and its derivatives, recorded when it is first called with points of a shape,
 * compiled, and kept. Of several points derivatives are tuples. Not for several threads at once. */
template <class F> class compiled {
public:
    explicit compiled(F f, wg_backend backend = WG_INTERPRET)
        : f_(std::move(f)), backend_(backend) {}

    /* f at a point: a double, or a vector if f gives several numbers. */
    template <class... X> auto operator()(const X &...x) {
        run &r = find(VALUE, x...);
        call(r, x...);
        if constexpr (std::is_same_v<result_of<X...>, var>) return r.out[0];
        else return r.out;
    }
    /* The gradient of f, which gives one number. */
    template <class... X> auto grad(const X &...x) {
        run &r = find(GRAD, x...);
        call(r, x...);
        return points(r.out.data(), x...);
    }
    /* Value and gradient, a pair. */
    template <class... X> auto value_and_grad(const X &...x) {
        run &r = find(VALUE_AND_GRAD, x...);
        call(r, x...);
        return std::make_pair(r.out[0], points(r.out.data() + 1, x...));
    }
    /* Rows are f's numbers, columns those of the point. */
    template <class X> matrix jacobian(const X &x) { return square(JACOBIAN, x); }
    template <class X> matrix hessian(const X &x) { return square(HESSIAN, x); }
    /* The Hessian times a vector, without the Hessian. */
    template <class X> X hvp(const X &x, const X &direction) {
        run &r = find(HVP, x);
        call(r, x, direction);
        return point<X>::write(x, r.out.data());
    }
    /* The program recorded for points like this one. */
    template <class... X> const program &recorded(const X &...x) { return base(x...).p; }

private:
    enum kind { VALUE, GRAD, VALUE_AND_GRAD, JACOBIAN, HESSIAN, HVP };
    struct run {
        function f;
        std::unique_ptr<void, detail::workspace_deleter> workspace;
        std::vector<double> in, out;
        std::vector<const void *> inputs;
        std::vector<void *> outputs;
    };
    struct recording {
        program p;
        std::size_t numbers = 0; /* that f gives */
        std::map<int, run> runs;
    };
    template <class... X>
    using result_of = std::decay_t<decltype(std::declval<F &>()(
        point<X>::record(std::declval<const X &>(), std::vector<var>())...))>;

    template <class X> static auto take_apart(graph &g, std::size_t k, const X &x) {
        const std::size_t n = point<X>::size(x);
        const std::string name = "x" + std::to_string(k);
        const var all = g.input(name.c_str(), {static_cast<wg_extent>(n)});
        std::vector<var> one;
        for (std::size_t i = 0; i < n; i++) {
            const auto at = static_cast<wg_extent>(i);
            one.push_back(reshape(slice(all, 0, at, at + 1), {}));
        }
        return point<X>::record(x, one);
    }

    template <class... X, std::size_t... k>
    auto recorded_points(graph &g, std::index_sequence<k...>, const X &...x) {
        return std::tuple{take_apart(g, k, x)...}; /* braces: from left to right */
    }

    template <class... X> recording &base(const X &...x) {
        std::vector<std::size_t> key{point<X>::size(x)...};
        recording &r = recordings_[key];
        if (r.p) return r;
        graph g;
        auto points = recorded_points(g, std::index_sequence_for<X...>{}, x...);
        const auto y = std::apply([&](const auto &...one) { return f_(one...); }, points);
        std::vector<var> all = detail::elements(y);
        for (var &one : all) one = var(one.in(g.get()));
        r.numbers = all.size();
        if constexpr (std::is_same_v<std::decay_t<decltype(y)>, var>) g.output("y", all[0]);
        else if (all.empty()) throw error(WG_EARGUMENT, "the function gives no numbers");
        else g.output("y", stack(all));
        r.p = g.build();
        return r;
    }

    template <class... X> run &find(kind what, const X &...x) {
        recording &r = base(x...);
        auto known = r.runs.find(what);
        if (known != r.runs.end()) return known->second;
        const std::size_t sizes[] = {point<X>::size(x)..., 0};
        std::size_t in = 0, out = 0;
        for (const std::size_t n : sizes) in += n;
        run made;
        switch (what) {
        case VALUE: out = r.numbers; made.f = function(r.p, backend_); break;
        case GRAD: out = in; made.f = function(r.p.grad(), backend_); break;
        case VALUE_AND_GRAD:
            out = in + 1;
            made.f = function(r.p.value_and_grad(), backend_);
            break;
        case JACOBIAN: out = in * r.numbers; made.f = function(r.p.jacobian(), backend_); break;
        case HESSIAN: out = in * in; made.f = function(r.p.hessian(), backend_); break;
        case HVP: out = in; made.f = function(r.p.hvp(), backend_); in *= 2; break;
        }
        wg_error e = {};
        made.workspace.reset(wg_workspace_new(made.f.get(), nullptr, &e));
        detail::check(e);
        made.in.resize(in + 1);
        made.out.resize(out + 1);
        double *at = made.in.data(), *to = made.out.data();
        for (int copies = 0; copies < (what == HVP ? 2 : 1); copies++)
            for (std::size_t k = 0; k < sizeof...(X); k++) {
                made.inputs.push_back(at);
                at += sizes[k];
            }
        if (what == VALUE || what == VALUE_AND_GRAD || what == JACOBIAN || what == HESSIAN)
            made.outputs.push_back(to++);
        if (what == GRAD || what == VALUE_AND_GRAD || what == HVP)
            for (std::size_t k = 0; k < sizeof...(X); k++) {
                made.outputs.push_back(to);
                to += sizes[k];
            }
        made.out.resize(out);
        return r.runs.emplace(what, std::move(made)).first->second;
    }

    template <class... X> void call(run &r, const X &...x) {
        double *at = r.in.data();
        ((point<X>::read(x, at), at += point<X>::size(x)), ...);
        r.f({}, r.inputs, r.outputs, r.workspace.get());
    }

    template <class X> matrix square(kind what, const X &x) {
        run &r = find(what, x);
        call(r, x);
        const std::size_t columns = point<X>::size(x);
        return {columns ? r.out.size() / columns : 0, columns, r.out};
    }

    template <class X> static X write_one(const double *&from, const X &x) {
        const double *at = from;
        from += point<X>::size(x);
        return point<X>::write(x, at);
    }
    template <class... X> static auto points(const double *from, const X &...x) {
        if constexpr (sizeof...(X) == 1) return (write_one(from, x), ...);
        else return std::tuple<X...>{write_one(from, x)...};
    }

    F f_;
    wg_backend backend_;
    std::map<std::vector<std::size_t>, recording> recordings_;
};

template <class F> compiled<F> compile(F f, wg_backend backend = WG_NATIVE) {
    return compiled<F>(std::move(f), backend);
}
template <class F> auto grad(F f) {
    return [c = compiled<F>(std::move(f))](const auto &...x) mutable { return c.grad(x...); };
}
template <class F> auto value_and_grad(F f) {
    return [c = compiled<F>(std::move(f))](const auto &...x) mutable {
        return c.value_and_grad(x...);
    };
}
template <class F> auto jacobian(F f) {
    return [c = compiled<F>(std::move(f))](const auto &x) mutable { return c.jacobian(x); };
}
template <class F> auto hessian(F f) {
    return [c = compiled<F>(std::move(f))](const auto &x) mutable { return c.hessian(x); };
}
template <class F> auto hvp(F f) {
    return [c = compiled<F>(std::move(f))](const auto &x, const auto &direction) mutable {
        return c.hvp(x, direction);
    };
}

} // namespace wg

/* ---- as the scalar of Eigen's matrices ------------------------------------------------------- */

#ifdef EIGEN_WORLD_VERSION
namespace Eigen {

template <> struct NumTraits<wg::var> : NumTraits<double> {
    using Real = wg::var;
    using NonInteger = wg::var;
    using Nested = wg::var;
    using Literal = double;
    enum {
        IsComplex = 0,
        IsInteger = 0,
        IsSigned = 1,
        RequireInitialization = 1,
        ReadCost = 1,
        AddCost = 16,
        MulCost = 16
    };
};
template <class Op> struct ScalarBinaryOpTraits<wg::var, double, Op> {
    using ReturnType = wg::var;
};
template <class Op> struct ScalarBinaryOpTraits<double, wg::var, Op> {
    using ReturnType = wg::var;
};

} // namespace Eigen

namespace wg {

/* Matrices and vectors of double, element by element in the order in which they are stored. */
template <int rows, int columns, int options, int most_rows, int most_columns>
struct point<Eigen::Matrix<double, rows, columns, options, most_rows, most_columns>> {
    using T = Eigen::Matrix<double, rows, columns, options, most_rows, most_columns>;
    using recorded = Eigen::Matrix<var, rows, columns, options, most_rows, most_columns>;
    static std::size_t size(const T &x) { return static_cast<std::size_t>(x.size()); }
    static void read(const T &x, double *to) {
        for (Eigen::Index k = 0; k < x.size(); k++) to[k] = x.data()[k];
    }
    static T write(const T &like, const double *from) {
        T y(like.rows(), like.cols());
        for (Eigen::Index k = 0; k < y.size(); k++) y.data()[k] = from[k];
        return y;
    }
    static recorded record(const T &like, const std::vector<var> &x) {
        recorded y(like.rows(), like.cols());
        for (Eigen::Index k = 0; k < y.size(); k++) y.data()[k] = x[static_cast<std::size_t>(k)];
        return y;
    }
};

namespace detail {
template <class D> std::vector<var> elements(const Eigen::MatrixBase<D> &y) {
    const typename D::PlainObject all = y;
    return std::vector<var>(all.data(), all.data() + all.size());
}
} // namespace detail

} // namespace wg
#endif

#endif
