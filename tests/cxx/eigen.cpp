// wg::var as the scalar of Eigen's matrices: fixed and dynamic sizes, products, norms, inverses.
#include "check.hpp"

#include <Eigen/Dense>
#include <wengert.hpp>

struct quadratic {
    template <class V> auto operator()(const V &x) const {
        using T = typename V::Scalar;
        Eigen::Matrix<T, 3, 3> a;
        a << 2, 1, 0, 1, 3, 1, 0, 1, 4;
        return T(0.5 * x.dot(a * x) + 2.0 * x.norm());
    }
};

static void fixed_sizes() {
    const Eigen::Vector3d x(1, 2, -1);
    Eigen::Matrix3d a;
    a << 2, 1, 0, 1, 3, 1, 0, 1, 4;
    const Eigen::Vector3d g = wg::grad(quadratic{})(x), expected = a * x + 2 * x / x.norm();
    CHECK((g - expected).norm() < 1e-14);
    const wg::matrix h = wg::hessian(quadratic{})(x);
    const Eigen::Matrix3d of_norm = 2 * (Eigen::Matrix3d::Identity() / x.norm() -
                                         x * x.transpose() / std::pow(x.norm(), 3));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            CHECK(near(h(static_cast<std::size_t>(i), static_cast<std::size_t>(j)),
                       a(i, j) + of_norm(i, j), 1e-13));
}

// d/dA of log det A and of the sum of A^-1, through the cofactors that Eigen writes out
static void inverses() {
    Eigen::Matrix3d a;
    a << 4, 1, 0.5, 1, 3, 0.2, 0.5, 0.2, 2;
    const auto f = [](const auto &m) {
        using T = typename std::decay_t<decltype(m)>::Scalar;
        return T(log(m.determinant()) + m.inverse().sum());
    };
    const Eigen::Matrix3d g = wg::grad(f)(a), inverse = a.inverse();
    const Eigen::Vector3d one = Eigen::Vector3d::Ones();
    const Eigen::Matrix3d turned = inverse.transpose();
    const Eigen::Matrix3d expected = turned - turned * one * one.transpose() * turned;
    CHECK((g - expected).norm() < 1e-13);
}

static void dynamic_sizes() {
    const auto f = [](const auto &x) {
        using T = typename std::decay_t<decltype(x)>::Scalar;
        const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> a = x * x.transpose();
        return T((a * x).squaredNorm()); // |x|^6
    };
    auto d = wg::grad(f);
    for (Eigen::Index n : {1, 2, 17}) {
        const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(n, 0.1, 0.5), g = d(x);
        const Eigen::VectorXd expected = 6 * std::pow(x.squaredNorm(), 2) * x;
        CHECK((g - expected).norm() < 1e-13);
    }
    const auto image = wg::jacobian([](const auto &x) {
        using T = typename std::decay_t<decltype(x)>::Scalar;
        return Eigen::Matrix<T, 2, 1>(x[0] * x[1], x[2]);
    })(Eigen::VectorXd(Eigen::Vector3d(2, 3, 4)));
    CHECK(image.rows == 2 && image.columns == 3 && image(0, 0) == 3 && image(1, 2) == 1);
}

int main() {
    fixed_sizes();
    inverses();
    dynamic_sizes();
    return failures != 0;
}
