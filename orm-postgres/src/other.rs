//! Values that cross the core as text, as PostgreSQL's binary wire format, both ways: each text has one binary form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use orm_core::error::{Error, Result};
use orm_core::value::{
    Cidr, Inet, MacAddr, MacAddr8, OtherType, Wire, hstore_text, parse_hstore, parse_vector, vector_text,
};

use crate::decode::{BROKEN, Read, Reader, utf8};
use crate::encode::text as write_text;

/// PostgreSQL's number of the family of addresses of four bytes.
const IPV4: u8 = 2;
/// And of sixteen bytes.
const IPV6: u8 = 3;

/// Writes a value as its type wants it.
pub(crate) fn encode(other: &OtherType, text: &str, buf: &mut Vec<u8>) -> Result<()> {
    let wrong = || Error::encode(format!("the text is none of the type {}", other.name));
    match other.wire {
        Wire::Text | Wire::Cast => write_text(text, buf)?,
        Wire::Versioned => {
            buf.push(1);
            write_text(text, buf)?;
        }
        Wire::Network => {
            let is_cidr = other.name == "cidr";
            if is_cidr {
                text.parse::<Cidr>().map_err(|_| wrong())?;
            }
            let network: Inet = text.parse().map_err(|_| wrong())?;
            let flag = u8::from(is_cidr);
            match network.address() {
                IpAddr::V4(a) => {
                    buf.extend([IPV4, network.prefix(), flag, 4]);
                    buf.extend(a.octets());
                }
                IpAddr::V6(a) => {
                    buf.extend([IPV6, network.prefix(), flag, 16]);
                    buf.extend(a.octets());
                }
            }
        }
        Wire::MacAddr => buf.extend(text.parse::<MacAddr>().map_err(|_| wrong())?.0),
        Wire::MacAddr8 => buf.extend(text.parse::<MacAddr8>().map_err(|_| wrong())?.0),
        Wire::Bits => {
            let bits = i32::try_from(text.len()).map_err(|_| wrong())?;
            buf.extend(bits.to_be_bytes());
            for eight in text.as_bytes().chunks(8) {
                let mut byte = 0;
                for (i, bit) in eight.iter().enumerate() {
                    match bit {
                        b'0' => {}
                        b'1' => byte |= 0x80 >> i,
                        _ => return Err(wrong()),
                    }
                }
                buf.push(byte);
            }
        }
        Wire::Hstore => {
            let pairs = parse_hstore(text).ok_or_else(wrong)?;
            buf.extend(length(pairs.len())?);
            for (key, value) in pairs {
                for word in [Some(key), value] {
                    let Some(word) = word else {
                        buf.extend((-1i32).to_be_bytes());
                        continue;
                    };
                    buf.extend(length(word.len())?);
                    write_text(&word, buf)?;
                }
            }
        }
        Wire::Vector => {
            let items = parse_vector(text).ok_or_else(wrong)?;
            buf.extend(u16::try_from(items.len()).map_err(|_| wrong())?.to_be_bytes());
            buf.extend([0; 2]);
            buf.extend(items.into_iter().flat_map(f32::to_be_bytes));
        }
    }
    Ok(())
}

fn length(n: usize) -> Result<[u8; 4]> {
    let n = i32::try_from(n).map_err(|_| Error::encode("the value is too long"))?;
    Ok(n.to_be_bytes())
}

/// Reads a value as its text.
pub(crate) fn decode(wire: Wire, bytes: &[u8]) -> Read<String> {
    let mut reader = Reader(bytes);
    match wire {
        Wire::Text | Wire::Cast => utf8(bytes).map(str::to_owned),
        Wire::Versioned => match bytes {
            [1, bytes @ ..] => utf8(bytes).map(str::to_owned),
            _ => Err("is of an unknown version"),
        },
        Wire::Network => {
            let [family, prefix, _cidr, len] = reader.array::<4>()?;
            let address = match (family, len) {
                (IPV4, 4) => IpAddr::V4(Ipv4Addr::from(reader.array::<4>()?)),
                (IPV6, 16) => IpAddr::V6(Ipv6Addr::from(reader.array::<16>()?)),
                _ => return Err("is of an unknown family of addresses"),
            };
            let network = Inet::new(address, prefix).ok_or(BROKEN)?;
            Ok(network.to_string())
        }
        Wire::MacAddr => Ok(MacAddr(reader.array::<6>()?).to_string()),
        Wire::MacAddr8 => Ok(MacAddr8(reader.array::<8>()?).to_string()),
        Wire::Bits => {
            let bits = usize::try_from(reader.i32()?).map_err(|_| BROKEN)?;
            let bytes = reader.take(bits.div_ceil(8))?;
            let bit = |i: usize| bytes[i / 8] & (0x80 >> (i % 8)) != 0;
            Ok((0..bits).map(|i| if bit(i) { '1' } else { '0' }).collect())
        }
        Wire::Hstore => {
            let count = reader.i32()?;
            let mut pairs = Vec::new();
            for _ in 0..count {
                let key = reader.word()?.ok_or("has a key that is NULL")?;
                pairs.push((key, reader.word()?));
            }
            Ok(hstore_text(pairs.into_iter()))
        }
        Wire::Vector => {
            let dimensions = reader.u16()?;
            let _unused = reader.u16()?;
            let items = (0..dimensions).map(|_| Ok(f32::from_be_bytes(reader.array()?)));
            let items = items.collect::<Read<Vec<f32>>>()?;
            Ok(vector_text(items.into_iter()))
        }
    }
}

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| BROKEN)
    }
    /// A text with its length before it; `None` for NULL.
    fn word(&mut self) -> Read<Option<&'a str>> {
        match self.i32()? {
            -1 => Ok(None),
            len => utf8(self.take(usize::try_from(len).map_err(|_| BROKEN)?)?).map(Some),
        }
    }
}
