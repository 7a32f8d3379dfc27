// Both circuits with Eigen, a Cholesky factorisation a sample: what a careful C++ programmer
// would write first. Matrices are column-major; inputs are stored a sample after the other.
#include <Eigen/Dense>

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

extern "C" void direct(int n, int, int n_samples, const double *inputs, const double *start,
                       double eta, double *out) {
    Matrix M = Eigen::Map<const Matrix>(start, n, n);
    Eigen::LLT<Matrix> llt(n);
    Vector y(n);
    for (int t = 0; t < n_samples; ++t) {
        llt.compute(M);
        y = llt.solve(Eigen::Map<const Vector>(inputs + (size_t)t * n, n));
        M.noalias() += eta * y * y.transpose();
        M.diagonal().array() -= eta;
    }
    Eigen::Map<Matrix>(out, n, n) = M;
}

extern "C" void interneuron(int n, int k, int n_samples, const double *inputs, const double *start,
                            double eta, double *out) {
    Matrix W = Eigen::Map<const Matrix>(start, n, k);
    Matrix A(n, n);
    Eigen::LLT<Matrix> llt(n);
    Vector y(n), z(k);
    for (int t = 0; t < n_samples; ++t) {
        A.setZero();
        A.selfadjointView<Eigen::Lower>().rankUpdate(W);
        llt.compute(A);
        y = llt.solve(Eigen::Map<const Vector>(inputs + (size_t)t * n, n));
        z.noalias() = W.transpose() * y;
        W *= 1.0 - eta;
        W.noalias() += eta * y * z.transpose();
    }
    Eigen::Map<Matrix>(out, n, n) = W * W.transpose();
}
