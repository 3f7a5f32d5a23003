//! How numbers are read.

use super::*;

fn read(text: &str) -> (LiteralValue, &str) {
    let (value, length) = scan(text).unwrap();
    (value, &text[length..])
}

fn integer(text: &str) -> i64 {
    match read(text) {
        (LiteralValue::Integer(integer), "") => integer.to_i64().unwrap(),
        other => panic!("{text} is no integer but {other:?}"),
    }
}

fn float(text: &str) -> f64 {
    match read(text) {
        (LiteralValue::Float(float), "") => float,
        other => panic!("{text} is no float but {other:?}"),
    }
}

#[test]
fn integers_come_in_every_radix_and_with_exponents() {
    assert_eq!(integer("42"), 42);
    assert_eq!(integer("-42"), -42);
    assert_eq!(integer("16r1F"), 31);
    assert_eq!(integer("16r1f"), 31);
    assert_eq!(integer("-16r1F"), -31);
    assert_eq!(integer("16r-1F"), -31);
    assert_eq!(integer("36rZZ"), 35 * 36 + 35);
    assert_eq!(integer("2e3"), 2000);
    assert_eq!(integer("2r1e4"), 16);
    assert_eq!(integer("100e-2"), 1);
    assert_eq!(integer("0e-5"), 0);
}

#[test]
fn large_integers_stay_digits() {
    let digits = "123456789012345678901234567890";

    let (value, _) = read(digits);

    let LiteralValue::Integer(integer) = value else {
        panic!("{value:?}")
    };
    assert_eq!(integer.digits, digits);
    assert_eq!(integer.to_i64(), None);
}

#[test]
fn floats_are_rounded_correctly() {
    assert_eq!(float("1.5e-3"), 0.0015);
    assert_eq!(float("-0.1"), -0.1);
    assert_eq!(float("1e-3"), 0.001);
    assert_eq!(float("1.0d2"), 100.0);
    assert_eq!(float("2r1.1"), 1.5);
    assert_eq!(float("16rF.8"), 15.5);
    assert_eq!(float("2r1.1e-1"), 0.75);
    assert!(float("-0.0").is_sign_negative());
    assert_eq!(float("1.0e9999"), f64::INFINITY);
    assert_eq!(float("1.0e-9999"), 0.0);
}

#[test]
fn scaled_decimals_know_their_scale() {
    let expected = |digits: &str, fraction_digits, scale| {
        LiteralValue::ScaledDecimal(ScaledDecimal {
            negative: false,
            radix: 10,
            digits: digits.to_owned(),
            fraction_digits,
            scale,
        })
    };

    assert_eq!(read("1.50s2").0, expected("150", 2, 2));
    assert_eq!(read("1.5s").0, expected("15", 1, 1));
    assert_eq!(read("3s").0, expected("3", 0, 0));
    assert_eq!(read("3s4").0, expected("3", 0, 4));
}

#[test]
fn what_does_not_go_on_as_a_number_belongs_to_the_next_token() {
    for (text, rest) in [
        ("3.", "."),
        ("3. 4", ". 4"),
        ("3.foo", ".foo"),
        ("3e", "e"),
        ("3e-", "e-"),
        ("3sqrt", "sqrt"),
        ("3r", "r"),
        ("2r12", "2"),
        ("3.5e", "e"),
    ] {
        if text == "3r" {
            assert_eq!(scan(text).unwrap_err(), (LexicalError::DigitExpected(3), 2));
        } else {
            assert_eq!(read(text).1, rest, "{text}");
        }
    }
}

#[test]
fn bad_radix_exponent_and_scale_are_errors() {
    assert_eq!(scan("1r0").unwrap_err().0, LexicalError::RadixExpected);
    assert_eq!(scan("37r0").unwrap_err().0, LexicalError::RadixExpected);
    assert_eq!(
        scan("99999999999999999999r0").unwrap_err().0,
        LexicalError::RadixExpected
    );
    assert_eq!(
        scan("16r").unwrap_err(),
        (LexicalError::DigitExpected(16), 3)
    );
    assert_eq!(
        scan("1e10001").unwrap_err().0,
        LexicalError::ExponentTooLarge
    );
    assert_eq!(
        scan("1e99999999999999999").unwrap_err().0,
        LexicalError::ExponentTooLarge
    );
    assert_eq!(scan("1s10001").unwrap_err().0, LexicalError::ScaleTooLarge);
}
