# `wengert cc`: the C that is written compiles silently as C99 and C++, takes the functions' own
# parameters, and gives the derivatives that the command computes itself.
set -u
. "$WG_SOURCE_DIR/tests/cli/replay.sh"
enter_scratch
wengert show chain.c:energy > /dev/null 2> "$scratch/error" || {
    grep -q libclang "$scratch/error" && { echo "no libclang: nothing to test"; exit 0; }
    cat "$scratch/error"
    exit 1
}
failed=0
fail() { echo "FAILED: $*"; failed=1; }

cat > model.h <<'END'
#ifndef MODEL_H
#define MODEL_H
#include <stddef.h>
struct particle { double pos[3]; double mass; int kind; };
typedef struct { double a; double w[2]; } pair;
#endif
END
cat > model.c <<'END'
#include "model.h"
#include <math.h>
#include <stdbool.h>

struct local { double scale, shift; };      /* declared by no header */
struct curve { double slope; int n; double *knot; };

double gravity(size_t n, const struct particle p[n], double eps) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            double r2 = eps * eps;
            for (int k = 0; k < 3; k++) r2 += pow(p[i].pos[k] - p[j].pos[k], 2);
            if (p[i].kind == p[j].kind) sum -= p[i].mass * p[j].mass / sqrt(r2);
        }
    return sum;
}

pair both(pair x, const struct local *l) {
    pair y = {x.a * l->scale + l->shift, {x.w[0] * x.w[1], sin(x.w[1]) * x.a}};
    return y;
}

float smooth(int m, int n, float a[m][n], const int *mask, bool square) {
    float s = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++)
            if (mask[i]) s += square ? a[i][j] * a[i][j] : a[i][j];
    return s;
}

double trace(double a[3][3], double *scale, long work) {
    double t = 0;
    for (int i = 0; i < 3; i++) t += a[i][i] * a[i][(i + 1) % 3] * (double)work;
    return t * *scale;
}

double length(const struct curve *c) {
    double sum = 0;
    for (int i = 0; i < c->n; i++) sum += c->slope * c->knot[i] * c->knot[i];
    return sum;
}

struct cloud {
    struct { double m[2]; } body[2][3];
    struct { double e; } state;
};

double total(const struct cloud *c) {
    double sum = c->state.e;
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) sum += c->body[i][j].m[0] * c->body[i][j].m[1] * (i + j);
    return sum;
}

void fill(int n, double x, double *y, double *last) {
    for (int i = 0; i < n; i++) y[i] = x * x * i;
    *last = exp(x);
}

double lookup(int m, int n, const unsigned char pixel[m][n], const short at[n], const double g[n]) {
    double sum = 0;
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) sum += pixel[i][j] * g[j] * g[at[j]];
    return sum;
}
END
wengert cc model.c:gravity --with grad,hvp,value_grad,hess -o gravity_d || fail gravity
wengert cc model.c --function both --with jvp,vjp,jac -o both_d.c || fail both
wengert cc model.c:smooth --size mask=m -o smooth_d || fail smooth
wengert cc model.c:trace --with grad,hess --wrt a,scale --name tr -o trace_d || fail trace
wengert cc model.c:length --size c.knot=c.n --with grad -o length_d || fail length
wengert cc model.c:total --with grad -o total_d || fail total
wengert cc model.c:fill --size y=n --with jac,vjp -o fill_d || fail fill
wengert cc model.c:lookup --with grad -o lookup_d || fail lookup
wengert cc chain.c --function step --with jvp,vjp -o step_d || fail step
wengert cc chain.c --function energy --wrt x --with grad,hvp -o energy_d || fail energy
wengert cc chain.c --function multiply --size a=m*n,x=n,y=m --wrt a,x --with vjp -o multiply_d ||
    fail multiply

compilers="cc"
command -v clang > /dev/null && compilers="$compilers clang"
for one in *_d.c; do
    for compiler in $compilers; do
        for flags in "-std=c99" "-std=c99 -DWG_CHECK_ALIAS" "-x c++"; do
            $compiler $flags -O1 -Wall -Wextra -Wpedantic -Werror -c "$one" -o "$scratch/one.o" ||
                fail "$compiler $flags $one"
        done
    done
    cc -std=c99 -O1 ${WG_SANITIZE_FLAGS:-} -DWG_CHECK_ALIAS -c "$one" -o "${one%.c}.o" || exit 1
done

cat > use.c <<'END'
#include "both_d.h"
#include "chain.h"
#include "energy_d.h"
#include "fill_d.h"
#include "gravity_d.h"
#include "length_d.h"
#include "lookup_d.h"
#include "multiply_d.h"
#include "smooth_d.h"
#include "step_d.h"
#include "total_d.h"
#include "trace_d.h"
#include <stdio.h>
#include <stdlib.h>

static void show(const char *name, const double *x, size_t n) {
    printf("%s", name);
    for (size_t i = 0; i < n; i++) printf(" %.15g", x[i]);
    printf("\n");
}

static void check(int status) {
    if (status) {
        printf("status %d\n", status);
        exit(1);
    }
}

int main(void) {
    struct spring s = {2, 1.5}, s_bar = {-1, -1}, s_dot = {0.5, 0.25};
    double x[3] = {0, 1, 3}, v[3] = {1, 2, 3}, g[3], h[3], t[3] = {1, 0, 0}, u[3] = {1, 1, 1};
    void *work = malloc(1 << 20);
    check(energy_grad(3, x, &s, g WORK_energy_grad));
    show("energy_grad", g, 3);
    check(energy_hvp(3, x, &s, t, g WORK_energy_hvp));
    show("energy_hvp", g, 3);
    printf("overlap %d negative %d\n", energy_grad(3, x, &s, x WORK_energy_grad),
           energy_grad(-1, x, &s, g WORK_energy_grad));

    double dt_bar;
    check(step_vjp(3, x, v, 0.1, s, t, u, g, h, &dt_bar, &s_bar WORK_step_vjp));
    show("step_vjp x", g, 3);
    show("step_vjp v", h, 3);
    show("step_vjp dt", &dt_bar, 1);
    show("step_vjp s", &s_bar.stiffness, 2);
    check(step_jvp(3, x, v, 0.1, s, t, u, 1.0, &s_dot, g, h WORK_step_jvp));
    show("step_jvp x", g, 3);
    show("step_jvp v", h, 3);

    double a[6] = {1, 2, 3, 4, 5, 6}, a_bar[6], y_bar[2] = {1, 10};
    check(multiply_vjp(2, 3, a, u, h, y_bar, a_bar, g WORK_multiply_vjp));
    show("multiply_vjp a", a_bar, 6);
    show("multiply_vjp x", g, 3);

    struct particle p[3] = {{{0, 0, 0}, 1, 1}, {{1, 2, 3}, 2, 1}, {{0, 1, 0.5}, 3, 2}},
                    q[3] = {{{0, 0, 0}, 0, 7}}, p_dot[3] = {{{0, 0, 0}, 0, 0}};
    double eps_bar, value, *m = malloc(81 * sizeof *m), pm[27], pe[9], mp[27], mm[9], me[3], ep[9],
                           em[3], ee;
    check(gravity_value_grad(3, p, 0.1, &value, q, &eps_bar WORK_gravity_value_grad));
    show("gravity value", &value, 1);
    for (int i = 0; i < 3; i++) show("gravity pos", q[i].pos, 3);
    for (int i = 0; i < 3; i++) show("gravity mass", &q[i].mass, 1);
    show("gravity eps", &eps_bar, 1);
    printf("kind %d room %d\n", q[0].kind, gravity_value_grad_work(3) <= 1 << 20);
    p_dot[1].pos[2] = 1;
    check(gravity_hvp(3, p, 0.1, p_dot, 0, q, &eps_bar WORK_gravity_hvp));
    for (int i = 0; i < 3; i++) show("gravity hvp pos", q[i].pos, 3);
    for (int i = 0; i < 3; i++) show("gravity hvp mass", &q[i].mass, 1);
    check(gravity_hess(3, p, 0.1, m, pm, pe, mp, mm, me, ep, em, &ee WORK_gravity_hess));
    show("gravity hess row", m + 9 * 5, 9);
    show("gravity hess ee", &ee, 1);

    pair in = {2, {3, 4}}, in_bar, out_bar = {1, {10, 100}}, in_dot = {1, {0, 0}}, out_dot;
    struct local l = {5, 6}, l_bar, l_dot = {0, 1};
    check(both_vjp(in, &l, &out_bar, &in_bar, &l_bar WORK_both_vjp));
    show("both_vjp x", &in_bar.a, 1);
    show("both_vjp w", in_bar.w, 2);
    show("both_vjp l", &l_bar.scale, 2);
    check(both_jvp(in, &l, &in_dot, &l_dot, &out_dot WORK_both_jvp));
    show("both_jvp a", &out_dot.a, 1);
    show("both_jvp w", out_dot.w, 2);

    float b[2][2] = {{1, 2}, {3, 4}}, b_bar[2][2];
    int mask[2] = {1, 0};
    check(smooth_grad(2, 2, &b[0][0], mask, true, &b_bar[0][0] WORK_smooth_grad));
    printf("smooth %g %g %g %g\n", b_bar[0][0], b_bar[0][1], b_bar[1][0], b_bar[1][1]);

    double c[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, c_bar[9], scale = 2, scale_bar;
    check(tr_grad(c, &scale, 2, c_bar, &scale_bar WORK_tr_grad));
    show("trace a", c_bar, 9);
    show("trace scale", &scale_bar, 1);

    struct curve k = {2, 3, x}, k_bar = {0, 0, g};
    check(length_grad(&k, &k_bar WORK_length_grad));
    show("length slope", &k_bar.slope, 1);
    show("length knot", k_bar.knot, 3);

    double last_bar = 1, x_bar, dy[3], dlast;
    check(fill_vjp(3, 0.5, NULL, NULL, u, last_bar, &x_bar WORK_fill_vjp));
    show("fill_vjp", &x_bar, 1);
    check(fill_jac(3, 0.5, NULL, NULL, dy, &dlast WORK_fill_jac));
    show("fill_jac", dy, 3);
    struct cloud cloud = {.state = {7}}, cloud_bar;
    for (int i = 0; i < 12; i++) cloud.body[i / 6][i / 2 % 3].m[i % 2] = i;
    check(total_grad(&cloud, &cloud_bar WORK_total_grad));
    printf("total m");
    for (int i = 0; i < 12; i++) printf(" %g", cloud_bar.body[i / 6][i / 2 % 3].m[i % 2]);
    printf("\n");
    show("total e", &cloud_bar.state.e, 1);
    const unsigned char pixel[2][3] = {{0, 255, 7}, {128, 3, 1}};
    const short at[3] = {2, 0, 0};
    check(lookup_grad(2, 3, &pixel[0][0], at, v, g WORK_lookup_grad));
    show("lookup", g, 3);
    free(m);
    free(work);
    return 0;
}
END
# the library's structs, declared by its source alone, are declared again by what is written
# which functions take a workspace is the engine's matter: WORK_f is ", work" or nothing
for name in $(sed -n 's/^int \([a-z_]*\)(.*/\1/p' *_d.h); do
    work=
    sed -n "/^int $name(/{:more;/;/!{N;b more;};p;}" *_d.h | grep -q 'void \*work' && work=", work"
    echo "#define WORK_$name $work"
done > work.h
cc -std=c99 -Wall -Wextra ${WG_SANITIZE_FLAGS:-} -include work.h use.c *_d.o -lm -o use || exit 1
./use > got || fail "a status"

numbers() { tr -d '[]' | tr ',' '\n' | tr -s ' \n' '  '; }
# Values that the command computes: NAME of what use printed, what stands before " = ", then the
# command's arguments.
expect() {
    name=$1 line=$2
    shift 2
    wengert "$@" --digits 15 | awk -v wanted="^$line\$" '
        / = / { on = $1 ~ wanted; sub(/.* = /, "") } on' | numbers > "$scratch/wanted"
    grep "^$name " got | sed "s/^$name //" | tr '\n' ' ' > "$scratch/given"
    paste -d ' ' "$scratch/given" "$scratch/wanted" | awk -v name="$name" '
        { n = NF / 2; bad = NF == 0 || n != int(n)
          for (i = 1; i <= n; i++) {
              d = $i - $(i + n); if (d < 0) d = -d
              s = $i < 0 ? -$i : $i; if (d > 1e-11 * (s + 1)) bad = 1
          }
          if (bad) { print "FAILED: " name ": " $0; exit 1 } }' || failed=1
}
at='x=[0,1,3],s.stiffness=2,s.length=1.5'
expect energy_grad d.dx gradient chain.c:energy --wrt x --at "$at"
expect energy_hvp Hx hvp chain.c:energy --wrt x --at "$at" --tangent 'x=[1,0,0]'
grep -q '^overlap 3 negative 2$' got || fail "overlap or negative size"
at="$at,v=[1,2,3],dt=0.1"
seeds='x=[1,0,0],v=[1,1,1]'
expect 'step_vjp x' x_bar vjp chain.c:step --at "$at" --adjoint "$seeds"
expect 'step_vjp v' v_bar vjp chain.c:step --at "$at" --adjoint "$seeds"
expect 'step_vjp dt' dt_bar vjp chain.c:step --at "$at" --adjoint "$seeds"
expect 'step_vjp s' 's[.][a-z]*_bar' vjp chain.c:step --at "$at" --adjoint "$seeds"
seeds="$seeds,dt=1,s.stiffness=0.5,s.length=0.25"
expect 'step_jvp x' x_dot jvp chain.c:step --at "$at" --tangent "$seeds"
expect 'step_jvp v' v_dot jvp chain.c:step --at "$at" --tangent "$seeds"
at='a=[1,2,3,4,5,6],x=[1,1,1]'
lengths='a=m*n,x=n,y=m,m=2,n=3'
expect 'multiply_vjp a' a_bar vjp chain.c:multiply --size $lengths --wrt a --at "$at" --adjoint y=[1,10]
expect 'multiply_vjp x' x_bar vjp chain.c:multiply --size $lengths --wrt x --at "$at" --adjoint y=[1,10]
at='p.pos=[[0,0,0],[1,2,3],[0,1,0.5]],p.mass=[1,2,3],p.kind=[1,1,2],eps=0.1'
expect 'gravity value' return eval model.c:gravity --at "$at"
for member in pos mass; do
    expect "gravity $member" "d.dp.$member" gradient model.c:gravity --at "$at"
    expect "gravity hvp $member" "Hp.$member" hvp model.c:gravity --at "$at" \
        --tangent 'p.pos=[[0,0,0],[0,0,1],[0,0,0]]'
done
expect 'gravity eps' d.deps gradient model.c:gravity --at "$at"
expect 'gravity hess row' Hp.pos hvp model.c:gravity --at "$at" --wrt p.pos \
    --tangent 'p.pos=[[0,0,0],[0,0,1],[0,0,0]]'
expect 'gravity hess ee' Heps hvp model.c:gravity --at "$at" --wrt eps --tangent eps=1
grep -q '^kind 7 room 1$' got || fail "a member that is not differentiated"
at='x.a=2,x.w=[3,4],l.scale=5,l.shift=6'
seeds='return.a=1,return.w=[10,100]'
expect 'both_vjp x' x.a_bar vjp model.c:both --at "$at" --adjoint "$seeds"
expect 'both_vjp w' x.w_bar vjp model.c:both --at "$at" --adjoint "$seeds"
expect 'both_vjp l' 'l[.][a-z]*_bar' vjp model.c:both --at "$at" --adjoint "$seeds"
expect 'both_jvp a' return.a_dot jvp model.c:both --at "$at" --tangent x.a=1,l.shift=1
expect 'both_jvp w' return.w_dot jvp model.c:both --at "$at" --tangent x.a=1,l.shift=1
expect smooth d.da gradient model.c:smooth --size mask=m --at 'a=[[1,2],[3,4]],mask=[1,0],square=true'
at='a=[[1,2,3],[4,5,6],[7,8,9]],scale=2,work=2'
expect 'trace a' d.da gradient model.c:trace --at "$at"
expect 'trace scale' d.dscale gradient model.c:trace --at "$at"
at='c.slope=2,c.knot=[0,1,3]'
expect 'length slope' d.dc.slope gradient model.c:length --size c.knot=c.n --at "$at"
expect 'length knot' d.dc.knot gradient model.c:length --size c.knot=c.n --at "$at"
at='c.body.m=[[[0,1],[2,3],[4,5]],[[6,7],[8,9],[10,11]]],c.state.e=7'
expect 'total m' d.dc.body.m gradient model.c:total --at "$at"
expect 'total e' d.dc.state.e gradient model.c:total --at "$at"
expect lookup d.dg gradient model.c:lookup \
    --at 'pixel=[[0,255,7],[128,3,1]],at=[2,0,0],g=[1,2,3]'
expect fill_vjp x_bar vjp model.c:fill --size y=n,n=3 --at x=0.5 --adjoint 'y=[1,1,1],last=1'
expect fill_jac dy.dx jacobian model.c:fill --size y=n,n=3 --at x=0.5 --of y --wrt x

# names and lines of the source stand in what is written
grep -q 'stretch_bar_v' energy_d.c || fail "names of variables"
grep -q '/\* chain.c:8 | double stretch' energy_d.c || fail "lines of the source"
exit $failed
