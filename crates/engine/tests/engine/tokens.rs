//! The estimate of tokens against a real tokenizer.

use purlin_engine::context::tokens;

/// A text, the tokens that o200k_base makes of it, and how far off we may be, in percent.
struct Sample {
    name: &'static str,
    counted: u64,
    within: u64,
    text: &'static str,
}

#[test]
fn the_estimate_is_near_what_a_real_tokenizer_counts() {
    for Sample { name, counted, within, text } in SAMPLES {
        let (guess, counted) = (tokens(text), *counted);
        let off = guess.abs_diff(counted) * 100 / counted;
        assert!(off <= *within, "{name}: {guess} for {counted}");
    }
}

#[test]
fn nothing_has_no_tokens_and_every_text_has_some() {
    assert_eq!(tokens(""), 0);
    for text in [" ", "\n", "a", "한", "あ", "中", "\u{1f980}", "\u{0}"] {
        assert!(tokens(text) > 0, "{text:?}");
    }
}

#[rustfmt::skip]
const SAMPLES: &[Sample] = &[
    Sample { name: "English", counted: 89, within: 15, text: r#"The old harbour wakes slowly. Fishing boats come in before six, and the men who unload them talk about the weather, the price of diesel, and the young people who have moved to the city. By nine the square is full: a bakery sells rye bread and cinnamon rolls, tourists photograph the clock tower, and somebody's dog sleeps across the doorway of the post office. Nothing much happens here, which is exactly why people return every summer."# },
    Sample { name: "German", counted: 54, within: 15, text: r#"Der alte Hafen erwacht langsam. Die Fischerboote kommen vor sechs herein, und die Männer, die sie entladen, sprechen über das Wetter, den Preis für Diesel und die jungen Leute, die in die Stadt gezogen sind. Gegen neun ist der Platz voller Menschen."# },
    Sample { name: "Russian", counted: 61, within: 15, text: r#"Старый порт просыпается медленно. Рыбацкие лодки возвращаются до шести, и люди, которые их разгружают, говорят о погоде, о цене на топливо и о молодых, уехавших в город. К девяти площадь полна народа."# },
    Sample { name: "Rust", counted: 145, within: 20, text: r#"impl<'a> Parser<'a> {
    /// Reads one token and moves past the blanks after it.
    fn advance(&mut self) -> Result<Token<'a>, ParseError> {
        let start = self.position;
        while let Some(byte) = self.input.as_bytes().get(self.position) {
            if !byte.is_ascii_alphanumeric() && *byte != b'_' {
                break;
            }
            self.position += 1;
        }
        if start == self.position {
            return Err(ParseError::Unexpected { at: start, found: self.peek() });
        }
        Ok(Token { text: &self.input[start..self.position], span: start..self.position })
    }
}"# },
    Sample { name: "Python", counted: 147, within: 20, text: r#"def moving_average(values: list[float], window: int = 5) -> list[float]:
    """Smooth a series; the first values are averaged over what is there."""
    if window < 1:
        raise ValueError(f"window must be positive, not {window}")
    result = []
    for index in range(len(values)):
        part = values[max(0, index - window + 1): index + 1]
        result.append(sum(part) / len(part))
    return result


if __name__ == "__main__":
    print(moving_average([1.0, 2.5, 4.0, 3.5, 7.25], window=3))"# },
    Sample { name: "JSON", counted: 222, within: 20, text: r#"{
  "name": "harbour-map",
  "version": "2.14.0",
  "private": true,
  "scripts": { "build": "vite build", "test": "vitest run --coverage", "lint": "eslint src --max-warnings 0" },
  "dependencies": { "leaflet": "^1.9.4", "react": "^18.3.1", "react-dom": "^18.3.1", "zod": "^3.23.8" },
  "layers": [
    { "id": 1, "title": "Depth", "visible": true, "opacity": 0.75, "bounds": [54.32, 10.11, 54.41, 10.29] },
    { "id": 2, "title": "Moorings", "visible": false, "opacity": 1, "bounds": [54.30, 10.08, 54.44, 10.31] }
  ]
}"# },
    Sample { name: "a build's output", counted: 138, within: 20, text: r#"src/parser/mod.rs:118:24: error[E0308]: mismatched types: expected `usize`, found `u32`
src/parser/token.rs:42:9: warning: unused variable: `width`
test parser::tests::reads_empty_input ... ok
test parser::tests::rejects_unbalanced ... FAILED
-rw-r--r-- 1 mira staff   4821 Mar  3 11:08 Cargo.toml
drwxr-xr-x 7 mira staff    224 Mar  3 11:09 target
thread 'parser::tests::rejects_unbalanced' panicked at src/parser/mod.rs:201:13"# },
    Sample { name: "Chinese prose", counted: 107, within: 15, text: r#"清晨的港口慢慢醒来。渔船在六点以前就回来了，卸货的人谈论着天气、柴油的价格，还有那些搬到城里去的年轻人。到了九点，广场上已经站满了人：面包店里卖着黑麦面包，游客们给钟楼拍照，一只狗横躺在邮局门口睡觉。这里没有什么大事发生，也正因为如此，人们每年夏天都会回来。"# },
    Sample { name: "a Chinese request", counted: 64, within: 15, text: r#"请把配置文件的读取逻辑移到单独的模块里，并且为解析失败的情况增加测试。注意不要修改公开接口，错误信息里要写明文件的路径和行号。完成以后运行全部测试，如果有失败的用例，先说明原因再动手修改。"# },
    Sample { name: "traditional Chinese", counted: 85, within: 25, text: r#"清晨的海港慢慢醒來。漁船在六點以前就回來了，卸貨的人談論著天氣、柴油的價格，還有那些搬到城裡去的年輕人。請把設定檔的讀取邏輯移到單獨的模組裡，並且為解析失敗的情況增加測試。"# },
    Sample { name: "Japanese prose", counted: 127, within: 15, text: r#"朝の港はゆっくりと目を覚ます。漁船は六時前に戻り、荷を下ろす男たちは天気や燃料の値段、そして町へ引っ越していった若者たちの話をする。九時になると広場は人でいっぱいになり、パン屋ではライ麦パンが売られ、観光客は時計台の写真を撮っている。たいしたことは何も起こらないが、だからこそ人々は毎年の夏にここへ帰ってくる。"# },
    Sample { name: "a Japanese request", counted: 102, within: 15, text: r#"設定ファイルを読み込む処理を別のモジュールに移して、パースに失敗した場合のテストを追加してください。公開されているインターフェースは変更しないでください。エラーメッセージにはファイルのパスと行番号を含めること。終わったらすべてのテストを実行し、失敗したケースがあれば原因を説明してから修正してください。"# },
    Sample { name: "hiragana", counted: 37, within: 15, text: r#"これはとてもむずかしいことなので、もういちどゆっくりとかんがえてみてください。そうすればきっとわかるようになります。"# },
    Sample { name: "katakana", counted: 29, within: 15, text: r#"サーバーのログレベルをデバッグに変更し、ネットワークエラーのリトライをスキップしてください。"# },
    Sample { name: "Korean prose", counted: 122, within: 15, text: r#"아침의 항구는 천천히 깨어난다. 고깃배는 여섯 시 전에 돌아오고, 짐을 내리는 사람들은 날씨와 기름값, 그리고 도시로 떠난 젊은이들에 대해 이야기한다. 아홉 시가 되면 광장은 사람들로 가득 차고, 빵집에서는 호밀빵을 팔며, 관광객들은 시계탑의 사진을 찍는다. 별다른 일은 일어나지 않지만 바로 그래서 사람들은 해마다 여름이면 돌아온다."# },
    Sample { name: "a Korean request", counted: 86, within: 15, text: r#"설정 파일을 읽는 코드를 별도의 모듈로 옮기고, 파싱에 실패하는 경우에 대한 테스트를 추가해 주세요. 공개된 인터페이스는 바꾸지 말고, 오류 메시지에는 파일의 경로와 줄 번호를 포함해야 합니다. 끝나면 모든 테스트를 실행하고, 실패한 것이 있으면 먼저 원인을 설명한 다음에 고쳐 주세요."# },
];
