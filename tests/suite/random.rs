//! Numbers at random, the same for the same seed, for the tests that generate what they ask.

/// A row of numbers.
pub struct Gen(u64);

impl Gen {
    pub fn new(seed: u64) -> Gen {
        let mut g = Gen(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        g.next();
        g
    }
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
    /// Three times out of four.
    pub fn maybe<T>(&mut self, f: impl FnOnce(&mut Gen) -> T) -> Option<T> {
        (!self.one_in(4)).then(|| f(self))
    }
    pub fn several<T>(&mut self, most: u64, mut f: impl FnMut(&mut Gen) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| f(self)).collect()
    }
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// The next number of a row that every seed begins well (SplitMix64), for generators of values of their own.
pub fn mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// The seeds of a run, each told before it is used: `ORM_TEST_SEED` is that one alone, `ORM_TEST_QUERIES` how many.
pub fn seeds(usual: u64) -> impl Iterator<Item = u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let seeds = match number("ORM_TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ORM_TEST_QUERIES").unwrap_or(usual),
    };
    // the panic of a failed comparison follows this line
    seeds.inspect(|seed| println!("seed {seed}: run it alone with ORM_TEST_SEED={seed}"))
}
