/** The few words the SDK says itself, in the languages of the page. */

export interface Texts {
  language: string;
  /** What the frame and the window are called by screen readers. */
  name: string;
  close: string;
  question: string;
  explanation: string;
  stay: string;
  leave: string;
}

const WORDS: Record<string, readonly [string, string, string, string, string, string]> = {
  en: ["Identity check", "Close", "Leave this check?", "It is not finished yet.", "Go on", "Leave"],
  es: ["Verificación de identidad", "Cerrar", "¿Salir de la verificación?", "Aún no ha terminado.", "Continuar", "Salir"],
  fr: ["Vérification d’identité", "Fermer", "Quitter la vérification ?", "Elle n’est pas terminée.", "Continuer", "Quitter"],
  de: ["Identitätsprüfung", "Schließen", "Prüfung verlassen?", "Sie ist noch nicht abgeschlossen.", "Weitermachen", "Verlassen"],
  pt: ["Verificação de identidade", "Fechar", "Sair da verificação?", "Ainda não terminou.", "Continuar", "Sair"],
  it: ["Verifica dell’identità", "Chiudi", "Uscire dalla verifica?", "Non è ancora terminata.", "Continua", "Esci"],
  ja: ["本人確認", "閉じる", "本人確認を中断しますか?", "まだ完了していません。", "続ける", "中断する"],
  ko: ["본인 확인", "닫기", "본인 확인을 그만두시겠습니까?", "아직 끝나지 않았습니다.", "계속하기", "나가기"],
  zh: ["身份验证", "关闭", "要退出验证吗?", "验证尚未完成。", "继续", "退出"],
  ar: ["التحقق من الهوية", "إغلاق", "هل تريد مغادرة التحقق؟", "لم يكتمل بعد.", "متابعة", "مغادرة"],
};

/**
 * The words in the language that the address forces with its first segment, as the page reads it; without one in the
 * browser's, as the page does; without that in English.
 */
export function textsFor(address: URL, preferred: readonly string[]): Texts {
  const [first = ""] = address.pathname.split("/").filter(Boolean);
  const forced = /^[a-z]{2,3}(-[A-Za-z]{2,4})?$/.test(first);
  const wanted = forced ? [first] : preferred;
  const language = wanted.map((code) => code.toLowerCase().split("-")[0] ?? "").find((code) => code in WORDS) ?? "en";
  const [name, close, question, explanation, stay, leave] = WORDS[language]!;
  return { language, name, close, question, explanation, stay, leave };
}
