// Texts to count: written by hand for what people send, generated from a seed for what they do not. The same seed
// gives the same corpus.

/** One text per script and habit of writing; nobody's words but ours. */
export const WRITTEN: readonly string[] = [
  'The ferry leaves at seven; we’ll wait by the old crane, won’t we?',
  "I'd've said they're LATE, but SHE'LL disagree. It's 'fine', isn'T it? 'tis. 'Sblood! O'Neil's, rock'n'roll",
  'Der Fährmann übergibt die Schlüssel für 12,50 € – „morgen früh“, sagt er. Straße, STRASSE, ẞ.',
  'L’été dernier, où étions‑nous ? À l’île d’Yeu, près du phare… « Peut-être », dit-elle.',
  'El niño compró 3 pingüinos de peluche: ¿cuánto pagó?, ¡demasiado!',
  'Amanhã não haverá pão, só maçãs e avelãs.',
  'Il caffè costa 1,20 €; perché così poco?',
  'Een ijsje in IJmuiden, ’s avonds om kwart over acht.',
  'Łódź płynie wśród żółtych liści; gęś kąpie się w źródle.',
  'Příliš žluťoučký kůň úpěl ďábelské ódy.',
  'Egy hűtőházból kértünk színhúst és gyümölcsöt.',
  'Çok güzel bir gün; İstanbul’da ışıklar yanıyor, ılık bir rüzgâr var.',
  'Cà phê sữa đá buổi sáng, người đi bộ qua cầu Thê Húc.',
  'Паром отходит в семь; мы подождём у старого крана. Съешь ещё этих булок!',
  'Пором відходить о сьомій, ґанок порожній, їжак спить.',
  'Το πλοίο φεύγει στις επτά· περιμένουμε δίπλα στον παλιό γερανό;',
  'המעבורת יוצאת בשבע, נחכה ליד העגורן הישן. שָׁלוֹם',
  'تغادر العبّارة في السابعة، وسننتظر قرب الرافعة القديمة؛ أليس كذلك؟ مُحَمَّد',
  'کشتی ساعت هفت می‌رود و ما کنار جرثقیل قدیمی می‌مانیم.',
  'नाव सात बजे निकलती है; हम पुराने क्रेन के पास रुकेंगे। क्षत्रिय ज्ञान',
  'ফেরি সাতটায় ছাড়ে, আমরা পুরোনো ক্রেনের পাশে অপেক্ষা করব।',
  'படகு ஏழு மணிக்குப் புறப்படும்; பழைய தூக்கியின் அருகில் காத்திருப்போம்.',
  'పడవ ఏడు గంటలకు బయలుదేరుతుంది.',
  'เรือออกเจ็ดโมงเช้าเราจะรออยู่ข้างเครนเก่าที่ท่าเรือน้ำลึกกำลังดี',
  'ເຮືອອອກເຈັດໂມງ ພວກເຮົາຈະລໍຖ້າ',
  'សាឡាងចេញនៅម៉ោងប្រាំពីរ',
  'ကူးတို့သင်္ဘောသည် ခုနစ်နာရီတွင် ထွက်ခွာသည်',
  'ბორანი შვიდზე გადის, ძველ ამწესთან დაველოდებით.',
  'Լաստանավը մեկնում է յոթին։',
  'ጀልባው በሰባት ሰዓት ይነሳል።',
  '渡轮七点出发，我们在旧起重机旁边等，好不好？一二三四五，上山打老虎！',
  '渡輪七點出發，我們在舊起重機旁邊等。',
  'フェリーは七時に出ます。古いクレーンのそばで待ちましょうか？ｶﾀｶﾅとカタカナ、ー々〆',
  '연락선은 일곱 시에 떠납니다. 낡은 기중기 옆에서 기다릴까요? ㅋㅋㅋ',
  'ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ꭰꮿꮧ',
  'ǅ ǈ ǋ ǲ ªº ʰʱʲ ˆˇ ՙ ـــ ๆๆ ㄱㄴ ﬁ ﬂ ſ İ ı',
  '👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇩🇪🇫🇷 ❤️ ☺︎ #️⃣ 🫠 🧑🏿‍🚀 🏴󠁧󠁢󠁳󠁣󠁴󠁿',
  '𝒜𝓁𝑔𝑒𝒷𝓇𝒶 𝟘𝟙𝟚𝟛𝟜 𐐀𐐨 𞤀𞤢 𑀓𑀸 𓀀𓂀 🀄 𝄞',
  '½ ⅓ ² ³ Ⅷ ⅷ ① ㊿ १२३४ ٠١٢٣ 一二三 ၁၂ 1234567 12 345.678,90 0x1F 1e-9',
  '∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, α ∧ ¬β → ¬(¬α ∨ β), ∮E⋅da = Q, n → ∞',
  '<|endoftext|> <|endofprompt|><|fim_prefix|>x<|fim_middle|>y<|fim_suffix|> <|im_start|>system<|im_end|>',
  '<|endoftext|',
  'https://www.example.org:8443/a/b//c?q=%C3%A4&r[]=1#top mailto:someone@example.org C:\\Temp\\x.txt ../..//',
  '{"a":[1,2,{"b":null}],"c":"\\u00e4\\n","d":-1.5e+10,"e":true}',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n# Head\n\n- item\n  - nested\n\n```js\nconst x = 1\n```\n',
  'function add(a, b) {\n\treturn a + b // sum\n}\r\n\r\nexport default add;\r\n',
  'def f(xs: list[int]) -> int:\n    """Doc."""\n    return sum(x ** 2 for x in xs if x % 2 == 0)\n\n\nif __name__ == "__main__":\n    print(f"{f([1, 2])!r}")\n',
  '#include <stdio.h>\nint main(void) {\n  for (int i = 0; i < 10; ++i) printf("%d\\n", i);\n  return 0; /* done */\n}\n',
  'fn main() -> Result<(), Box<dyn Error>> {\n    let v: Vec<u8> = vec![0; 16];\n    println!("{:?}", &v[..4]);\n    Ok(())\n}',
  "SELECT a.id, COUNT(*) AS n FROM a LEFT JOIN b ON a.id = b.a_id WHERE b.x IS NULL GROUP BY 1 HAVING COUNT(*) > 3; -- it's",
  '<!doctype html><p class="x">a&nbsp;b<br/></p><!-- c --><script>1<2&&3>2</script>',
  '.a > .b::after { content: "\\201C"; margin: 0 auto !important; }',
  '#!/bin/sh\nset -eu; for f in *.txt; do grep -n "x" "$f" | awk \'{print $2}\' >> out; done 2>/dev/null',
  'E = mc^2, \\frac{\\partial u}{\\partial t} = \\alpha \\nabla^2 u, $\\sum_{i=0}^{n} x_i$',
  '>+++++++++[<++++++++>-]<.>+++++++[<++++>-]<+.+++++++..+++.>>>',
  'ATGCGTACGTTAGCCTAGGCTAACGTTAGCAATTGGCC MKVLAAGIVGLLLAQWERTY',
  'SGVsbG8sIHdvcmxkISBUaGlzIGlzIGJhc2U2NC4= 5d41402abc4b2a76b9719d911017c592 550e8400-e29b-41d4-a716-446655440000',
  'HTTPServerErrorXMLHttpRequest camelCaseAndPascalCase snake_case_name SCREAMING_SNAKE kebab-case-name iOS eBay',
  '',
  ' ',
  '\n',
  '\r\n\r\n\r\n',
  'a\n \n  \n   b',
  '   leading and trailing   ',
  '\t\tTabs\t and  \u00a0 no-break\u2003em\u3000wide\ufeffmark\u2028line\u2029para\u0085next\u200bzero',
  'line\u000bvertical\u000cform\u0000null\u0001\u0007\u001b[31mred\u001b[0m\u007f\u0080\u009f',
  '\ud800',
  '\udc00',
  'a\ud800b',
  '\udc00\ud800',
  '\ud83d \ude00',
  'x\ud83d\ud83d\ude00\ude00y',
  'e\u0301\u0301\u0301 \u0301 \u0301a n\u0303A\u030a Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324',
  '\ufffd\ufffe\uffff\ue000\u{f0000}\u{10ffff}',
]

/** Long runs, up to what the reference can count in reasonable time. */
export function longRuns(unitsMax: number): string[] {
  const grains = [
    'a',
    'A',
    'aB',
    'z9',
    '0',
    ' ',
    '\n',
    '\r\n',
    ' \n',
    '-',
    '=',
    '/',
    'é',
    '漢',
    '😀',
    '\u0301',
    '\ud800',
    'ab',
    'ACGT',
    '\t',
    'ไ',
  ]
  const sizes = [31, 95, 96, 97, 98, 129, 200, 333].filter(size => size <= unitsMax)
  const runs = grains.flatMap(grain => sizes.map(size => grain.repeat(Math.ceil(size / grain.length))))
  const random = randomOf(7)
  // Letters without order: the piece with the most merges that find something.
  for (const size of [97, 150, unitsMax]) {
    runs.push(Array.from({ length: size }, () => pick(random, [...'etaoinshrdlu'])).join(''))
  }
  for (const grain of ['a', ' ']) runs.push(grain.repeat(unitsMax))
  return runs
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!
}

function times(random: () => number, most: number, make: () => string): string {
  return Array.from({ length: 1 + Math.floor(random() * most) }, make).join('')
}

const BLOCKS = [
  [0x00, 0x7f],
  [0x80, 0xff],
  [0x100, 0x24f],
  [0x250, 0x2ff],
  [0x300, 0x36f],
  [0x370, 0x3ff],
  [0x400, 0x52f],
  [0x590, 0x6ff],
  [0x900, 0xdff],
  [0xe00, 0xeff],
  [0x1200, 0x13ff],
  [0x1e00, 0x1fff],
  [0x2000, 0x23ff],
  [0x2500, 0x27ff],
  [0x3000, 0x30ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7ff],
  [0xd800, 0xdfff],
  [0xe000, 0xffff],
  [0x10000, 0x107ff],
  [0x1d400, 0x1d7ff],
  [0x1f300, 0x1faff],
  [0x20000, 0x2ffff],
  [0xe0000, 0xe01ff],
] as const

const GLUE = [
  ' ',
  ' ',
  ' ',
  '  ',
  '\n',
  '\n\n',
  ', ',
  '. ',
  '-',
  '_',
  '/',
  "'",
  '’',
  '\t',
  '\r\n',
  ' \n ',
  '',
  '😀',
  '"',
]
const SPECIALS = [
  '<|endoftext|>',
  '<|fim_prefix|>',
  '<|endofprompt|>',
  '<|im_start|>',
  "'ll",
  "'RE",
  "'S",
  ' \r\n',
  '\u00a0',
  '1234',
  '½',
]

function sample(random: () => number): string {
  const block = pick(random, BLOCKS)
  const ofBlock = (): string =>
    String.fromCodePoint(block[0] + Math.floor(random() * (block[1] - block[0] + 1)))
  const ofAny = (): string => {
    const [from, to] = pick(random, BLOCKS)
    return String.fromCodePoint(from + Math.floor(random() * (to - from + 1)))
  }
  switch (Math.floor(random() * 8)) {
    case 0:
      return times(random, 60, ofBlock)
    case 1:
      return times(random, 60, ofAny)
    case 2:
      return times(random, 12, () => times(random, 12, ofBlock) + pick(random, GLUE))
    case 3:
      return times(random, 12, () => pick(random, SPECIALS) + pick(random, GLUE) + times(random, 5, ofAny))
    case 4:
      return JSON.stringify(
        { [times(random, 8, ofBlock)]: times(random, 40, ofBlock), n: random() * 1e6 },
        null,
        2,
      )
    case 5:
      // Pieces of what people write, cut anywhere, also within pairs, and put together anew.
      return times(random, 8, () => {
        const text = pick(random, WRITTEN)
        const from = Math.floor(random() * text.length)
        return text.slice(from, from + Math.floor(random() * 30)) + pick(random, GLUE)
      })
    case 6:
      return times(random, 6, () => ofAny().repeat(1 + Math.floor(random() * 40)))
    default:
      return times(
        random,
        20,
        () =>
          times(random, 10, () =>
            String.fromCharCode((random() < 0.3 ? 0x41 : 0x61) + Math.floor(random() * 26)),
          ) + pick(random, GLUE),
      )
  }
}

export function generated(seed: number, texts: number): string[] {
  const random = randomOf(seed)
  return Array.from({ length: texts }, () => sample(random))
}
