//! The inner products of the stored pairs with each other.

/// The matrices S'S, S'Y and Y'Y of the stored pairs, oldest pair first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gram {
    /// `ss[i][j]` = s_i.s_j.
    pub(super) ss: Vec<Vec<f64>>,
    /// `sy[i][j]` = s_i.y_j.
    pub(super) sy: Vec<Vec<f64>>,
    /// `yy[i][j]` = y_i.y_j.
    pub(super) yy: Vec<Vec<f64>>,
}

/// The inner products of a new pair (s, y) with the stored ones, oldest first, and with itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewProducts {
    /// s_i.s for every stored i.
    pub stored_s_s: Vec<f64>,
    /// s_i.y for every stored i.
    pub stored_s_y: Vec<f64>,
    /// s.y_i for every stored i.
    pub s_stored_y: Vec<f64>,
    /// y_i.y for every stored i.
    pub stored_y_y: Vec<f64>,
    /// s.s
    pub ss: f64,
    /// s.y
    pub sy: f64,
    /// y.y
    pub yy: f64,
}

impl Gram {
    /// Pairs stored.
    pub fn len(&self) -> usize {
        self.yy.len()
    }

    /// Whether no pair is stored.
    pub fn is_empty(&self) -> bool {
        self.yy.is_empty()
    }

    /// Forgets all pairs.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets the oldest pair.
    pub fn drop_oldest(&mut self) {
        for products in [&mut self.ss, &mut self.sy, &mut self.yy] {
            if !products.is_empty() {
                products.remove(0);
            }
            products.iter_mut().for_each(|row| {
                row.remove(0);
            });
        }
    }

    /// Adds a pair as the newest.
    ///
    /// # Panics
    /// Where the lists do not have one number for each stored pair.
    pub fn push(&mut self, new: &NewProducts) {
        let NewProducts { stored_s_s, stored_s_y, s_stored_y, stored_y_y, ss, sy, yy } = new;
        let lists = [stored_s_s, stored_s_y, s_stored_y, stored_y_y];
        let fits = lists.iter().all(|list| list.len() == self.len());
        assert!(fits, "one product for each stored pair");
        border(&mut self.ss, stored_s_s, stored_s_s, *ss);
        border(&mut self.sy, stored_s_y, s_stored_y, *sy);
        border(&mut self.yy, stored_y_y, stored_y_y, *yy);
    }

    /// All numbers in a row, for records; see [`Gram::from_numbers`].
    pub fn to_numbers(&self) -> Vec<f64> {
        [&self.ss, &self.sy, &self.yy].into_iter().flatten().flatten().copied().collect()
    }

    /// The matrices that [`Gram::to_numbers`] wrote for `pairs` pairs, if they are that many.
    pub fn from_numbers(pairs: usize, numbers: &[f64]) -> Option<Self> {
        let square = pairs * pairs;
        if numbers.len() != 3 * square {
            return None;
        }
        let rows = |from: usize| {
            let all = &numbers[from..from + square];
            all.chunks(pairs.max(1)).map(<[f64]>::to_vec).collect()
        };
        Some(Self { ss: rows(0), sy: rows(square), yy: rows(2 * square) })
    }
}

/// Adds a last column, a last row and their corner.
fn border(products: &mut Vec<Vec<f64>>, column: &[f64], row: &[f64], corner: f64) {
    products.iter_mut().zip(column).for_each(|(row, product)| row.push(*product));
    products.push(row.iter().copied().chain([corner]).collect());
}
