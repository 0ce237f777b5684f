//! Tokens that are none of ours.

use base64::Engine as _;

/// The token that one gets by changing the bytes of another (32 random, 2 of the partition) and computing its checksum
/// anew.
pub fn reseal(token: &str, prefix: &str, edit: impl FnOnce(&mut [u8])) -> String {
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut raw = engine.decode(&token[4..]).unwrap();
    edit(&mut raw[..34]);
    let mut crc = crc32fast::Hasher::new();
    crc.update(prefix.as_bytes());
    crc.update(&raw[..34]);
    raw[34..].copy_from_slice(&crc.finalize().to_be_bytes());
    format!("{prefix}{}", engine.encode(raw))
}

/// Texts that are almost this token: none of them is.
pub fn near_misses(token: &str) -> Vec<String> {
    let (prefix, body) = token.split_at(4);
    let mut texts = Vec::new();
    for at in 0..token.len() {
        for other in ["A", "b", "-", "_", "0"] {
            if &token[at..=at] != other {
                texts.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
            }
        }
        texts.push(token[..at].to_owned());
        texts.push(format!("{}{}", &token[..at], &token[at + 1..]));
    }
    // With a sound checksum: each bit of the random part and of the partition flipped.
    for bit in 0..34 * 8 {
        texts.push(reseal(token, prefix, |raw| raw[bit / 8] ^= 1 << (bit % 8)));
    }
    texts.extend([
        format!("{token}A"),
        format!("{token}="),
        format!("{token}=="),
        format!("{token} "),
        format!(" {token}"),
        format!("{token}{token}"),
        format!("{token}\u{200b}"),
        body.to_owned(),
        prefix.to_owned(),
        prefix.trim_end_matches('_').to_owned(),
        format!("{prefix}{prefix}{body}"),
        token.to_uppercase(),
        token.to_lowercase(),
        format!("{}{body}", prefix.to_uppercase()),
        token.replacen('_', "-", 1),
        token.replacen('_', "", 1),
        format!("{prefix}{}", "A".repeat(51)),
        format!("{prefix}{}", "_".repeat(51)),
        "0".to_owned(),
        "null".to_owned(),
        "*".to_owned(),
        "%".to_owned(),
        "' OR 1=1 --".to_owned(),
        "../../etc/passwd".to_owned(),
        format!("{prefix}{}", "A".repeat(15_000)),
    ]);
    // The other alphabet, and the other last characters that a lax decoder would read as the same bytes.
    texts.push(format!("{prefix}{}", body.replace('-', "+").replace('_', "/")));
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(&body[50..]).unwrap();
    texts.extend((1..4).map(|stray| format!("{}{}", &token[..54], &alphabet[last + stray..=last + stray])));
    texts.retain(|text| text != token && !text.is_empty());
    texts
}
