// The C++ face: derivatives of function templates against closed forms, against the same function
// as a formula and through the C API, shapes, tuples, loops and branches, eager graphs, owners,
// errors.
#include "check.hpp"

#include <wengert.hpp>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>

// ---- functions of one's own ---------------------------------------------------------------------

// A camera with radial distortion looks at a point: pixel coordinates. cam: rotation vector,
// centre, focal length, k1, k2 (as in bundle adjustment).
struct projection {
    template <class T>
    std::vector<T> operator()(const std::vector<T> &cam, const std::vector<T> &at) const {
        std::vector<T> p(3), turned(3);
        for (std::size_t k = 0; k < 3; k++) p[k] = at[k] - cam[3 + k];
        T angle = sqrt(cam[0] * cam[0] + cam[1] * cam[1] + cam[2] * cam[2]);
        T s = sin(angle), c = cos(angle), dot = 0;
        std::vector<T> axis(3);
        for (std::size_t k = 0; k < 3; k++) axis[k] = cam[k] / angle;
        for (std::size_t k = 0; k < 3; k++) dot += axis[k] * p[k];
        for (std::size_t k = 0; k < 3; k++) {
            std::size_t i = (k + 1) % 3, j = (k + 2) % 3;
            turned[k] = p[k] * c + (axis[i] * p[j] - axis[j] * p[i]) * s + axis[k] * dot * (1 - c);
        }
        T x = turned[0] / turned[2], y = turned[1] / turned[2], r = x * x + y * y;
        T f = cam[6] * (1 + cam[7] * r + cam[8] * r * r);
        return {f * x, f * y};
    }
};

// The energy of a chain of springs of rest length 1 that hang in the plane: x holds n points.
struct springs {
    template <class T> T operator()(const std::vector<T> &x) const {
        using std::sqrt;
        T energy = 0;
        std::size_t n = x.size() / 2;
        for (std::size_t k = 0; k < n; k++) energy += 0.1 * x[2 * k + 1];
        for (std::size_t k = 0; k + 1 < n; k++) {
            T u = x[2 * k + 2] - x[2 * k], v = x[2 * k + 3] - x[2 * k + 1];
            T stretch = sqrt(u * u + v * v) - 1;
            energy += 0.5 * stretch * stretch;
        }
        return energy;
    }
};

template <class F> double slope(const F &f, std::vector<double> x, std::size_t k) {
    const double h = 1e-5, at = x[k];
    x[k] = at + h;
    const double up = f(x);
    x[k] = at - h;
    return (up - f(x)) / (2 * h);
}

static void gradients_of_templates() {
    const std::vector<double> x{0, 0, 1.1, -0.2, 2.3, -0.1, 3.0, 0.4};
    const auto g = wg::grad(springs{})(x);
    CHECK(g.size() == x.size());
    for (std::size_t k = 0; k < x.size(); k++) CHECK(near(g[k], slope(springs{}, x, k), 1e-8));
    const auto [energy, same] = wg::value_and_grad(springs{})(x);
    CHECK(near(energy, springs{}(x)) && same == g);

    const wg::matrix h = wg::hessian(springs{})(x);
    CHECK(h.rows == 8 && h.columns == 8);
    std::vector<double> direction(8, 0), product(8, 0);
    for (std::size_t k = 0; k < 8; k++) direction[k] = 0.1 * static_cast<double>(k) - 0.3;
    for (std::size_t i = 0; i < 8; i++)
        for (std::size_t j = 0; j < 8; j++) {
            CHECK(near(h(i, j), h(j, i)));
            product[i] += h(i, j) * direction[j];
        }
    const auto hv = wg::hvp(springs{})(x, direction);
    for (std::size_t k = 0; k < 8; k++) CHECK(near(hv[k], product[k]));
}

// The same function by operators, as a formula, and by calls of the C API.
static void three_ways_agree() {
    auto f = [](const auto &x, const auto &y) { return exp(x) * sin(y) + pow(x, 2) / (1 + y * y); };
    const auto [dx, dy] = wg::grad(f)(0.7, 1.3);

    wg_error e = {};
    const char text[] = "f(x, y) = exp(x)*sin(y) + x^2/(1 + y^2)";
    wg::program formula(wg_parse(text, std::strlen(text), nullptr, &e));
    CHECK(e.status == WG_OK);
    wg::function by_formula(formula.grad());
    double x = 0.7, y = 1.3, fx = 0, fy = 0;
    by_formula({}, {&x, &y}, {&fx, &fy});
    CHECK(near(dx, fx, 1e-15) && near(dy, fy, 1e-15));

    wg::graph g;
    const wg::var u = g.input("x"), v = g.input("y");
    g.output("z", f(u, v));
    wg::function by_graph(g.build().grad(), WG_NATIVE);
    by_graph({}, {&x, &y}, {&fx, &fy});
    CHECK(near(dx, fx, 1e-14) && near(dy, fy, 1e-14));
}

static void jacobians() {
    const std::vector<double> cam{0.1, -0.2, 0.3, 0.5, 0.1, -2, 1.5, 0.02, -0.01}, at{1, 2, 5};
    wg::compiled<projection> c{projection{}};
    const auto pixels = c(cam, at);
    const auto plain = projection{}(cam, at);
    CHECK(near(pixels[0], plain[0]) && near(pixels[1], plain[1]));
    const auto of_point = wg::jacobian([&](const auto &p) {
        using T = std::decay_t<decltype(p[0])>;
        return projection{}(std::vector<T>(cam.begin(), cam.end()), p);
    })(at);
    CHECK(of_point.rows == 2 && of_point.columns == 3);
    for (std::size_t k = 0; k < 3; k++) {
        auto moved = [&](const std::vector<double> &p) { return projection{}(cam, p)[1]; };
        CHECK(near(of_point(1, k), slope(moved, at, k), 1e-8));
    }
    const std::array<double, 2> point{2, 3};
    const auto j = wg::jacobian([](const auto &x) {
        return std::array<std::decay_t<decltype(x[0])>, 3>{x[0] * x[1], x[0], x[1] * x[1]};
    })(point);
    CHECK(j.rows == 3 && j.columns == 2 && j(0, 0) == 3 && j(2, 1) == 6 && j(1, 1) == 0);
}

static void loops_and_branches() {
    auto looped = [](const auto &x) {
        return wg::loop(10, [&](const auto &, const auto &s) { return sin(s) + x; }, wg::var(x));
    };
    auto plain = [](const std::vector<double> &x) {
        double s = x[0];
        for (int i = 0; i < 10; i++) s = std::sin(s) + x[0];
        return s;
    };
    CHECK(near(wg::grad(looped)(0.3), slope(plain, {0.3}, 0), 1e-8));
    auto pair = [](const auto &x) {
        const auto [a, b] = wg::loop(4, [](const auto &, const auto &u, const auto &v) {
            return std::tuple{v, u + v};
        }, wg::var(x), wg::var(1));
        return a * b;
    };
    CHECK(near(wg::grad(pair)(2.0), 43)); // of (2x + 3)(3x + 5)
    auto root = [](const auto &x) {
        return wg::branch(wg::gt(x, 0), [&] { return sqrt(x); }, [&] { return x * x; });
    };
    auto d = wg::grad(root);
    CHECK(d(4.0) == 0.25 && d(-3.0) == -6 && d(0.0) == 0);
    auto chosen = [](const auto &x) { return wg::where(wg::gt(x, 0), sqrt(x), 0 * x); };
    CHECK(wg::grad(chosen)(4.0) == 0.25 && wg::grad(chosen)(-1.0) == 0);
}

static void eager_graphs() {
    wg::graph g = wg::graph::eager();
    wg::var x = g.scalar(3), y = x * x;
    if (value(y) > 5) y = y * x;
    const auto first = wg::backward(y, {x});
    const auto second = wg::backward(first[0], {x});
    CHECK(value(y) == 27 && value(first[0]) == 27 && value(second[0]) == 18);
    const wg::var t = g.tensor({2, 2}, {1, 2, 3, 4});
    CHECK(value(wg::sum(wg::matmul(t, t))) == 54);
}

static void tensors() {
    wg::graph g;
    const wg_extent m = g.size("m");
    const wg::var X = g.input("X", {m, 3}), W = g.input("W", {3, 2});
    const wg::var label = g.input("label", {m}, WG_I32);
    g.output("loss", wg::mean(wg::cross_entropy(wg::matmul(X, W), label)));
    const wg::program loss = g.build();
    wg::function f(loss.value_and_grad("W"));
    const double x[6] = {1, 2, 3, 4, 5, 6}, w[6] = {0.1, 0.2, 0.3, -0.1, 0.2, 0};
    const int32_t classes[2] = {0, 1};
    double value = 0, dw[6];
    f({2}, {x, w, classes}, {&value, dw});
    CHECK(value > 0 && near(dw[0], -dw[1]));
    // the program's text reads back to a program of the same values and text
    const std::string text = loss.text();
    wg_error e = {};
    const wg::program back(wg_program_read(text.data(), text.size(), nullptr, &e));
    CHECK(back && e.status == WG_OK);
    double same = 0, dsame[6] = {};
    wg::function(back.value_and_grad("W"))({2}, {x, w, classes}, {&same, dsame});
    CHECK(same == value && std::equal(dw, dw + 6, dsame));
    CHECK(back.text() == text);
}

static void constants_and_shapes() {
    // a sum that begins with 0, numbers on either side, and a result that depends on nothing
    auto f = [](const auto &x) {
        std::decay_t<decltype(x[0])> s = 0;
        for (std::size_t k = 0; k < x.size(); k++) s += 2 * x[k] / 4 - 1;
        return s;
    };
    auto d = wg::grad(f);
    CHECK(d(std::vector<double>{1, 2, 3}) == std::vector<double>(3, 0.5));
    CHECK(d(std::vector<double>{1}) == std::vector<double>(1, 0.5));
    CHECK(d(std::vector<double>{}).empty());
    auto nothing = [](const auto &x) { return 0 * x[0] + std::decay_t<decltype(x[0])>(7); };
    CHECK(wg::grad(nothing)(std::vector<double>{1, 2}) == std::vector<double>(2, 0));
    CHECK(wg::var(2) + 3 == 5 && wg::var(2) != wg::var(3));
}

static void errors_are_thrown() {
    bool thrown = false;
    try {
        wg::graph g;
        wg::matmul(g.input("a", {2, 3}), g.input("b", {2, 3}));
    } catch (const wg::error &e) {
        thrown = e.status() == WG_ESHAPE &&
                 std::string(e.what()).find("matmul") != std::string::npos;
    }
    CHECK(thrown);
    thrown = false;
    try {
        wg::graph g;
        const wg::var x = g.input("x");
        if (x == x) thrown = false;
    } catch (const wg::error &e) {
        thrown = e.status() == WG_EARGUMENT;
    }
    CHECK(thrown);
    thrown = false;
    try { // one number is wanted
        wg::grad([](const auto &x) {
            return std::vector<std::decay_t<decltype(x[0])>>{x[0], x[1]};
        })(std::vector<double>{1, 2});
    } catch (const wg::error &) {
        thrown = true;
    }
    CHECK(thrown);
    thrown = false;
    try { // an error inside of a loop's body
        wg::grad([](const auto &x) {
            return wg::loop(3, [&](const auto &, const auto &s) -> wg::var {
                if (s.get().graph) throw std::runtime_error("stop");
                return s;
            }, wg::var(x));
        })(1.0);
    } catch (const std::runtime_error &e) {
        thrown = std::strcmp(e.what(), "stop") == 0;
    }
    CHECK(thrown);
}

static void one_function_many_threads() {
    wg::graph g;
    const wg::var x = g.input("x");
    g.output("y", sin(x) * x);
    const wg::function f(g.build().grad());
    double out[4] = {0, 0, 0, 0};
    std::vector<std::thread> all;
    for (int k = 0; k < 4; k++)
        all.emplace_back([&, k] {
            for (int i = 0; i < 1000; i++) {
                const double at = k;
                f({}, {&at}, {&out[k]});
            }
        });
    for (auto &one : all) one.join();
    for (int k = 0; k < 4; k++) CHECK(near(out[k], std::cos(k) * k + std::sin(k)));
}

int main() {
    gradients_of_templates();
    three_ways_agree();
    jacobians();
    loops_and_branches();
    eager_graphs();
    tensors();
    constants_and_shapes();
    errors_are_thrown();
    one_function_many_threads();
    if (failures) std::fprintf(stderr, "%d checks failed\n", failures);
    return failures != 0;
}
