//! A kernel's formula written down, instead of computed.

use std::{
    array::from_fn,
    cell::RefCell,
    ops::{Add, Div, Mul, Neg, Sub},
};

use super::Number;

/// A number that is known later: a place on the tape that is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Symbol(usize);

/// What stands at a place of a tape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Expression {
    /// An element of a vector, by the vector's number.
    Element(usize),
    /// A number known now.
    Constant(f64),
    /// A number in double precision.
    Wide(Symbol),
    /// A function of one number.
    Unary(Unary, Symbol),
    /// A function of two numbers.
    Binary(Binary, Symbol, Symbol),
    /// A power with a fixed exponent.
    Power(Symbol, f64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unary {
    Negative,
    Root,
    Absolute,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binary {
    Sum,
    Difference,
    Product,
    Quotient,
    Larger,
    Smaller,
}

thread_local! {
    /// The tape that [`Symbol`]s are places of.
    static TAPE: RefCell<Vec<Expression>> = const { RefCell::new(Vec::new()) };
}

/// A formula of the elements of some vectors at one place.
#[derive(Clone, Debug)]
pub(super) struct Formula<const O: usize> {
    /// Every expression stands behind its operands.
    expressions: Vec<Expression>,
    results: [Symbol; O],
}

impl<const O: usize> Formula<O> {
    /// What `f` does with elements of `W` and of `R` vectors, numbered in this order.
    pub fn of<const W: usize, const R: usize>(
        f: impl FnOnce([Symbol; W], [Symbol; R]) -> [Symbol; O],
    ) -> Self {
        TAPE.replace((0..W + R).map(Expression::Element).collect());
        let results = f(from_fn(Symbol), from_fn(|k| Symbol(W + k)));
        Self { expressions: TAPE.take(), results }
    }

    /// For every expression whether a result needs it.
    fn needed(&self) -> Vec<bool> {
        let mut needed = vec![false; self.expressions.len()];
        self.results.iter().for_each(|result| needed[result.0] = true);
        for place in (0..self.expressions.len()).rev() {
            if needed[place] {
                operands(self.expressions[place]).for_each(|operand| needed[operand.0] = true);
            }
        }
        needed
    }

    /// Whether the elements of vector number `vector` are needed.
    pub fn reads(&self, vector: usize) -> bool {
        self.needed()[vector]
    }

    /// Whether result number `result` is an element of vector number `vector` as it is.
    pub fn keeps(&self, result: usize, vector: usize) -> bool {
        self.results[result] == Symbol(vector)
    }

    /// The results, where `compute` knows how to compute an expression from the values of others.
    pub fn evaluate<V: Clone>(
        &self,
        mut compute: impl FnMut(Expression, &dyn Fn(Symbol) -> V) -> V,
    ) -> [V; O] {
        let mut values: Vec<Option<V>> = vec![None; self.expressions.len()];
        for (place, needed) in self.needed().into_iter().enumerate() {
            if needed {
                let value = compute(self.expressions[place], &|symbol| known(&values, symbol));
                values[place] = Some(value);
            }
        }
        self.results.map(|result| known(&values, result))
    }
}

fn known<V: Clone>(values: &[Option<V>], symbol: Symbol) -> V {
    values[symbol.0].clone().expect("operands stand before what needs them")
}

fn operands(expression: Expression) -> impl Iterator<Item = Symbol> {
    let (a, b) = match expression {
        Expression::Element(_) | Expression::Constant(_) => (None, None),
        Expression::Wide(a) | Expression::Unary(_, a) | Expression::Power(a, _) => (Some(a), None),
        Expression::Binary(_, a, b) => (Some(a), Some(b)),
    };
    a.into_iter().chain(b)
}

/// The place of an expression; one that is there already is not written again.
fn write(expression: Expression) -> Symbol {
    TAPE.with_borrow_mut(|tape| {
        let place = tape.iter().position(|known| *known == expression).unwrap_or_else(|| {
            tape.push(expression);
            tape.len() - 1
        });
        Symbol(place)
    })
}

impl Symbol {
    fn expression(self) -> Expression {
        TAPE.with_borrow(|tape| tape[self.0])
    }

    fn constant(self) -> Option<f64> {
        if let Expression::Constant(x) = self.expression() { Some(x) } else { None }
    }

    fn is(self, x: f64) -> bool {
        self.constant() == Some(x)
    }

    fn unary(self, unary: Unary, f: fn(f64) -> f64) -> Self {
        match self.constant() {
            Some(x) => Self::of(f(x)),
            None => write(Expression::Unary(unary, self)),
        }
    }

    fn binary(self, binary: Binary, other: Self, f: fn(f64, f64) -> f64) -> Self {
        match (self.constant(), other.constant()) {
            (Some(a), Some(b)) => Self::of(f(a, b)),
            _ => write(Expression::Binary(binary, self, other)),
        }
    }
}

impl Add for Symbol {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        if self.is(0.0) {
            other
        } else if other.is(0.0) {
            self
        } else {
            self.binary(Binary::Sum, other, |a, b| a + b)
        }
    }
}

impl Sub for Symbol {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        if self.is(0.0) {
            -other
        } else if other.is(0.0) {
            self
        } else {
            self.binary(Binary::Difference, other, |a, b| a - b)
        }
    }
}

impl Mul for Symbol {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        if self.is(1.0) || other.is(0.0) {
            other
        } else if other.is(1.0) || self.is(0.0) {
            self
        } else {
            self.binary(Binary::Product, other, |a, b| a * b)
        }
    }
}

impl Div for Symbol {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        if other.is(1.0) { self } else { self.binary(Binary::Quotient, other, |a, b| a / b) }
    }
}

impl Neg for Symbol {
    type Output = Self;

    fn neg(self) -> Self {
        self.unary(Unary::Negative, |x| -x)
    }
}

impl Number for Symbol {
    type Wide = Self;

    fn of(x: f64) -> Self {
        write(Expression::Constant(x))
    }

    fn wide(self) -> Self {
        if self.constant().is_some() { self } else { write(Expression::Wide(self)) }
    }

    fn sqrt(self) -> Self {
        self.unary(Unary::Root, f64::sqrt)
    }

    fn abs(self) -> Self {
        self.unary(Unary::Absolute, f64::abs)
    }

    fn max(self, other: Self) -> Self {
        self.binary(Binary::Larger, other, f64::max)
    }

    fn min(self, other: Self) -> Self {
        self.binary(Binary::Smaller, other, f64::min)
    }

    fn powf(self, exponent: f64) -> Self {
        match self.constant() {
            Some(x) => Self::of(x.powf(exponent)),
            None => write(Expression::Power(self, exponent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// l2 theta + scale g
    fn decayed<N: Number>(l2: f64, scale: f64, [theta, g]: [N; 2]) -> [N; 1] {
        [N::of(l2) * theta + N::of(scale) * g]
    }

    #[test]
    fn coefficients_of_0_and_1_are_folded_and_what_they_multiply_is_not_read() {
        let formula = |l2, scale| Formula::of(|[], read| decayed(l2, scale, read));
        let (decays, plain) = (formula(0.5, 2.0), formula(0.0, 1.0));
        assert!(decays.reads(0) && decays.reads(1));
        assert!(!plain.reads(0) && plain.reads(1));
        assert!(plain.keeps(0, 1) && !decays.keeps(0, 1));
    }

    #[test]
    fn an_expression_that_is_there_already_is_shared() {
        let formula = Formula::of(|[x]: [Symbol; 1], []| [(x * x + Symbol::of(2.0)) / (x * x)]);
        // x, x x, 2, their sum, the quotient.
        assert_eq!(formula.expressions.len(), 5);
    }

    #[test]
    fn a_formula_played_on_numbers_is_the_formula() {
        fn kernel<N: Number>([a, b]: [N; 2]) -> [N; 1] {
            let root = (a * a + b.abs()).sqrt().max(N::of(0.5)).min(-b);
            [(root.powf(1.5) - N::of(3.0) * a) / (N::of(2.0) - b)]
        }
        let formula = Formula::of(|[], read| kernel(read));
        for inputs in [[1.5, -2.0], [-0.1, -0.3], [2.0, -9.0]] {
            let played = formula.evaluate(|expression, value| match expression {
                Expression::Element(vector) => inputs[vector],
                Expression::Constant(x) => x,
                Expression::Wide(a) => value(a),
                Expression::Unary(Unary::Negative, a) => -value(a),
                Expression::Unary(Unary::Root, a) => value(a).sqrt(),
                Expression::Unary(Unary::Absolute, a) => value(a).abs(),
                Expression::Binary(Binary::Sum, a, b) => value(a) + value(b),
                Expression::Binary(Binary::Difference, a, b) => value(a) - value(b),
                Expression::Binary(Binary::Product, a, b) => value(a) * value(b),
                Expression::Binary(Binary::Quotient, a, b) => value(a) / value(b),
                Expression::Binary(Binary::Larger, a, b) => f64::max(value(a), value(b)),
                Expression::Binary(Binary::Smaller, a, b) => f64::min(value(a), value(b)),
                Expression::Power(a, exponent) => value(a).powf(exponent),
            });
            assert_eq!(played, kernel(inputs));
        }
    }
}
