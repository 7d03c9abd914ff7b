//! Addresses: of hosts and networks on the internet, and of network cards.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::value::{ArrayItem, Cells, OtherType, Scalar, Type, Value, Wire};

static INET: OtherType = OtherType::portable("inet", Wire::Network);
static CIDR: OtherType = OtherType::portable("cidr", Wire::Network);
static MACADDR: OtherType = OtherType::portable("macaddr", Wire::MacAddr);
static MACADDR8: OtherType = OtherType::portable("macaddr8", Wire::MacAddr8);

/// What is wrong with a text that was to become one of these types. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidText(pub(crate) &'static str);
impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for InvalidText {}

/// An address with the length of its network's prefix: PostgreSQL's `inet`. A lone address has all bits,
/// `10.0.0.1/32`; a field that holds nothing else can be a `std::net::IpAddr`.
///
/// ```
/// use orm_core::value::Inet;
/// let office: Inet = "10.1.2.3/8".parse().unwrap();
/// assert_eq!((office.address().to_string(), office.prefix()), ("10.1.2.3".into(), 8));
/// assert_eq!("::1".parse::<Inet>().unwrap().prefix(), 128);
/// assert!("10.0.0.1/33".parse::<Inet>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inet {
    address: IpAddr,
    prefix: u8,
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

impl Inet {
    /// `None` when the prefix is longer than the address.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        (prefix <= bits(address)).then_some(Inet { address, prefix })
    }
    /// The address.
    pub fn address(&self) -> IpAddr {
        self.address
    }
    /// How many leading bits name the network.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
    /// Whether no bit is set behind the prefix.
    fn is_network(&self) -> bool {
        let value = match self.address {
            IpAddr::V4(a) => u128::from(a.to_bits()) << 96,
            IpAddr::V6(a) => a.to_bits(),
        };
        value.checked_shl(self.prefix.into()).unwrap_or(0) == 0
    }
}

impl From<IpAddr> for Inet {
    fn from(address: IpAddr) -> Self {
        let prefix = bits(address);
        Inet { address, prefix }
    }
}

impl fmt::Display for Inet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Inet {
    type Err = InvalidText;
    fn from_str(s: &str) -> Result<Self, InvalidText> {
        const WRONG: InvalidText = InvalidText("not an address such as 10.0.0.1/8 or ::1");
        let (address, prefix) = match s.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (s, None),
        };
        let address: IpAddr = address.parse().map_err(|_| WRONG)?;
        match prefix {
            None => Ok(address.into()),
            Some(prefix) if prefix.starts_with('+') => Err(WRONG),
            Some(prefix) => Inet::new(address, prefix.parse().map_err(|_| WRONG)?).ok_or(WRONG),
        }
    }
}

/// A network: PostgreSQL's `cidr`. No bit is set behind the prefix.
///
/// ```
/// use orm_core::value::Cidr;
/// let network: Cidr = "10.0.0.0/8".parse().unwrap();
/// assert_eq!(network.to_string(), "10.0.0.0/8");
/// assert!("10.0.0.1/8".parse::<Cidr>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr(Inet);

impl Cidr {
    /// `None` when the prefix is longer than the address, or a bit behind it is set.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        Inet::new(address, prefix).filter(Inet::is_network).map(Cidr)
    }
    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.0.address
    }
    /// How many leading bits all addresses share.
    pub fn prefix(&self) -> u8 {
        self.0.prefix
    }
}
impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl FromStr for Cidr {
    type Err = InvalidText;
    fn from_str(s: &str) -> Result<Self, InvalidText> {
        let network: Inet = s.parse()?;
        match network.is_network() {
            true => Ok(Cidr(network)),
            false => Err(InvalidText("bits are set behind the prefix of the network")),
        }
    }
}

/// The address of a network card: PostgreSQL's `macaddr`.
///
/// ```
/// use orm_core::value::MacAddr;
/// let card: MacAddr = "08:00:2b:01:02:ff".parse().unwrap();
/// assert_eq!(card, MacAddr([8, 0, 0x2b, 1, 2, 0xff]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr(pub [u8; 6]);

/// The address of a network card in the form of eight bytes: PostgreSQL's `macaddr8`.
///
/// ```
/// use orm_core::value::MacAddr8;
/// let card: MacAddr8 = "08:00:2b:ff:fe:01:02:03".parse().unwrap();
/// assert_eq!(card, MacAddr8([8, 0, 0x2b, 0xff, 0xfe, 1, 2, 3]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MacAddr8(pub [u8; 8]);

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        colons(&self.0, f)
    }
}
impl fmt::Display for MacAddr8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        colons(&self.0, f)
    }
}
impl FromStr for MacAddr {
    type Err = InvalidText;
    fn from_str(s: &str) -> Result<Self, InvalidText> {
        const WRONG: InvalidText = InvalidText("not an address such as 08:00:2b:01:02:03");
        hexadecimal(s).map(MacAddr).ok_or(WRONG)
    }
}
impl FromStr for MacAddr8 {
    type Err = InvalidText;
    fn from_str(s: &str) -> Result<Self, InvalidText> {
        const WRONG: InvalidText = InvalidText("not an address such as 08:00:2b:ff:fe:01:02:03");
        hexadecimal(s).map(MacAddr8).ok_or(WRONG)
    }
}

fn colons(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, byte) in bytes.iter().enumerate() {
        write!(f, "{}{byte:02x}", if i == 0 { "" } else { ":" })?;
    }
    Ok(())
}

fn hexadecimal<const N: usize>(s: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    let mut parts = s.split(':');
    for byte in &mut out {
        let part = parts.next().filter(|p| p.len() == 2 && !p.starts_with('+'))?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(out)
}

/// Types that are their text.
macro_rules! by_text {
    ($($Ty:ty, $other:expr, $wrong:literal;)*) => {$(
        impl Scalar for $Ty {
            const TYPE: Type = Type::Other(&$other);
            fn into_value(self) -> Value {
                Value::Other(&$other, self.to_string().into())
            }
            fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
                let parse = |text: Box<str>| text.parse().map_err(|_| Error::decode($wrong));
                crate::value::other::text(cells, i, &$other)?.map(parse).transpose()
            }
        }
        impl ArrayItem for $Ty {}
    )*};
}
by_text! {
    Inet, INET, "the cell holds no address";
    Cidr, CIDR, "the cell holds no network";
    MacAddr, MACADDR, "the cell holds no address of a network card";
    MacAddr8, MACADDR8, "the cell holds no address of a network card";
}

impl Scalar for IpAddr {
    const TYPE: Type = Type::Other(&INET);
    fn into_value(self) -> Value {
        Inet::from(self).into_value()
    }
    fn decode(cells: &dyn Cells, i: usize) -> Result<Option<Self>> {
        let Some(inet) = <Inet as Scalar>::decode(cells, i)? else {
            return Ok(None);
        };
        match inet.prefix == bits(inet.address) {
            true => Ok(Some(inet.address)),
            false => Err(Error::decode(
                "the address has a network's prefix: read it as `Inet`",
            )),
        }
    }
}
impl ArrayItem for IpAddr {}
